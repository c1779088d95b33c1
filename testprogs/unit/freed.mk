# The tables of the library as they are, without the hooks.
UNIT_OBJ_test_freed := $(patsubst %.c,$(BUILD)/obj/cli/%.o,$(wildcard shim/stack/*.c shim/base/*.c shim/registry/*.c shim/platform/*.c) shim/options.c shim/option_values.c)
UNIT_LIBS_test_freed := -ldl
UNIT_OBJ_test_pool := $(UNIT_OBJ_test_freed)
UNIT_LIBS_test_pool := -ldl
# It brings its own, to begin anew for each test.
UNIT_OBJ_test_foreign_heap := $(filter-out %/registry/foreign_heap.o,$(UNIT_OBJ_test_freed))
UNIT_LIBS_test_foreign_heap := -ldl
