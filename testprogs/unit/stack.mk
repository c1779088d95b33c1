# The stack layer's tests: linked with the parts of the library that they test, and with frames from several compilers.
STACK_SHAPES := O0 O2 O3 Os pointer clang_O0 clang_O2
STACK_CLANG := $(firstword $(shell command -v clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19 2>/dev/null) $(CC))
STACK_FLAGS_O0 := -O0
STACK_FLAGS_O2 := -O2 -fomit-frame-pointer
STACK_FLAGS_O3 := -O3 -fomit-frame-pointer -mavx2
STACK_FLAGS_Os := -Os -fomit-frame-pointer -mno-accumulate-outgoing-args
STACK_FLAGS_pointer := -O2 -fno-omit-frame-pointer
STACK_FLAGS_clang_O0 := -O0
STACK_FLAGS_clang_O2 := -O2
# valgrind can not read what clang writes as DWARF 5, hence -gdwarf-4.
STACK_DIR := $(BUILD)/obj/cli/testprogs/unit/stack

$(STACK_DIR)/shapes_%.o: testprogs/unit/stack/shapes.c testprogs/unit/stack/shapes.h
	@mkdir -p $(@D)
	$(call say,CC,$<)$(if $(findstring clang,$*),$(STACK_CLANG),$(CC)) -std=gnu11 $(STACK_FLAGS_$*) -gdwarf-4 -Wall -Wextra \
		-DSHAPES=shapes_$* -c -o $@ $<

$(STACK_DIR)/shapes_cxx.o: testprogs/unit/stack/shapes_cxx.cc testprogs/unit/stack/shapes.h
	@mkdir -p $(@D)
	$(call say,CXX,$<)$(CXX) -std=c++17 -O2 -g -Wall -Wextra -c -o $@ $<

STACK_WITH := $(patsubst %.c,$(BUILD)/obj/cli/%.o,$(wildcard shim/stack/*.c shim/base/*.c) \
	$(addprefix shim/platform/,elf_next.c sys.c lock.c process.c thread_self.c vdso.c) \
	$(addprefix shim/registry/,recording.c recording_file.c view.c) shim/options.c shim/option_values.c)

UNIT_OBJ_test_stack := $(STACK_WITH) $(STACK_SHAPES:%=$(STACK_DIR)/shapes_%.o) $(STACK_DIR)/shapes_cxx.o
UNIT_LIBS_test_stack := -lstdc++ -ldl
UNIT_OBJ_test_stack_last := $(UNIT_OBJ_test_stack)
UNIT_LIBS_test_stack_last := -lstdc++ -ldl

STACK_PLUGINS := $(STACK_DIR)/plugin_1600.so $(STACK_DIR)/plugin_800.so
$(STACK_DIR)/plugin_%.so: testprogs/unit/stack/plugin.c testprogs/unit/stack/shapes.h
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) -std=gnu11 -O2 -g -shared -fPIC -fomit-frame-pointer -fno-stack-protector -DFRAME=$* -o $@ $<

UNIT_OBJ_test_stack_modules := $(STACK_WITH)
UNIT_LIBS_test_stack_modules := -ldl
$(BUILD)/unit/test_stack_modules: | $(STACK_PLUGINS)
$(BUILD)/obj/cli/testprogs/unit/test_stack_modules.o: BASE_FLAGS += -DPLUGINS='"$(abspath $(STACK_DIR))"'

UNIT_OBJ_test_stack_cfi := $(STACK_WITH)
UNIT_LIBS_test_stack_cfi := -ldl

UNIT_OBJ_test_stack_remote := $(STACK_WITH) $(STACK_SHAPES:%=$(STACK_DIR)/shapes_%.o)

## bench-stack: what capturing a stack costs, beside unw_backtrace
bench-stack: $(PLAIN)/unit/stack_bench
	$(Q)$<

STACK_BENCH_SRC := $(patsubst $(BUILD)/obj/cli/%.o,%.c,$(STACK_WITH))
$(PLAIN)/unit/stack_bench: testprogs/unit/stack/bench.c $(STACK_BENCH_SRC:%.c=$(PLAIN)/obj/lib/%.o)
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(BASE_FLAGS) -o $@ $^ -ldl
.PHONY: bench-stack
