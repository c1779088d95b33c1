# What threads share: the tables of the library as they are, without the hooks.
CONCURRENT := test_concurrent test_concurrent_holds
CONCURRENT_WITH := $(patsubst %.c,$(BUILD)/obj/cli/%.o,$(wildcard shim/stack/*.c shim/base/*.c shim/registry/*.c shim/platform/*.c) shim/options.c shim/option_values.c)
$(foreach t,$(CONCURRENT),$(eval UNIT_OBJ_$(t) := $(CONCURRENT_WITH))$(eval UNIT_LIBS_$(t) := -ldl))

# Once more under ThreadSanitizer, which scripts/run-unit runs with those that are run as they are.
CONCURRENT_TSAN := $(CONCURRENT:%=$(PLAIN)/tsan/%)
CONCURRENT_SRC := $(CONCURRENT_WITH:$(BUILD)/obj/cli/%.o=%.c)
TSAN_LINE = $(CC) $(BASE_FLAGS) -O1 -fsanitize=thread $(if $(findstring clang,$(CC)),,-Wno-tsan)
$(CONCURRENT_TSAN): $(PLAIN)/tsan/%: testprogs/unit/%.c testprogs/unit/hammer.h $(CONCURRENT_SRC) $(wildcard shim/*.h shim/*/*.h shim/*/*.def)
	@mkdir -p $(@D)
	$(call say,TSAN,$@)$(TSAN_LINE) -o $@ $< $(CONCURRENT_SRC) -lcheck -lsubunit -lrt -lm -pthread -ldl
unit-programs: $(CONCURRENT_TSAN)
