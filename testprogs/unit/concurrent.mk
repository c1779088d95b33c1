# What threads share: the tables of the library as they are, without the hooks.
CONCURRENT_WITH := $(patsubst %.c,$(BUILD)/obj/cli/%.o,$(wildcard shim/stack/*.c shim/base/*.c shim/registry/*.c shim/platform/*.c) shim/options.c shim/option_values.c)
UNIT_OBJ_test_concurrent := $(CONCURRENT_WITH)
UNIT_LIBS_test_concurrent := -ldl

# Once more under ThreadSanitizer, which scripts/run-unit runs with those that are run as they are.
CONCURRENT_TSAN := $(PLAIN)/tsan/test_concurrent
CONCURRENT_SRC := testprogs/unit/test_concurrent.c $(patsubst $(BUILD)/obj/cli/%.o,%.c,$(CONCURRENT_WITH))
$(CONCURRENT_TSAN): $(CONCURRENT_SRC) $(wildcard shim/*.h shim/*/*.h shim/*/*.def)
	@mkdir -p $(@D)
	$(call say,TSAN,$@)$(CC) $(BASE_FLAGS) -O1 -fsanitize=thread $(if $(findstring clang,$(CC)),,-Wno-tsan) -o $@ $(CONCURRENT_SRC) \
		-lcheck -lsubunit -lrt -lm -pthread -ldl
unit-programs: $(CONCURRENT_TSAN)
