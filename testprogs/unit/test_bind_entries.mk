# The entries as they are, without what they tell of; and what their stack's bounds are found with.
UNIT_OBJ_test_bind_entries := $(patsubst %.c,$(BUILD)/obj/cli/%.o,shim/hooks/bind_entries.c $(wildcard shim/stack/*.c shim/base/*.c shim/registry/*.c shim/platform/*.c) \
	shim/options.c shim/option_values.c)
UNIT_LIBS_test_bind_entries := -ldl
