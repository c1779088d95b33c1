# whoholds. `make help` lists the targets. V=1 shows the commands; CC=clang and
# SAN=address,undefined build into folders of their own (the preloaded library is never sanitized).
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDEXPANSION:
.DEFAULT_GOAL := all

VERSION := 0.1.0
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
WERROR  ?= 1
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := $(if $(findstring clang,$(CC)),clang++,g++)
endif
PLAIN := build$(if $(findstring clang,$(CC)),/clang)
BUILD := $(PLAIN)$(if $(SAN),/san)

ifeq ($(V),1)
Q   :=
say :=
else
Q   := @
say  = @printf '  %-7s %s\n' $(1) $(2);
MAKEFLAGS += --no-print-directory
endif

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith -Wvla \
	-Wno-missing-field-initializers $(if $(filter 1,$(WERROR)),-Werror)
BASE_FLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -DWH_VERSION='"$(VERSION)"' -Ishim -I. $(WARN) $(CFLAGS)
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)

# The library. -fno-builtin: gcc turns malloc+memset into a call of calloc, i.e. of ourselves.
# initial-exec: no __tls_get_addr, which may allocate. -fexceptions: cleanups run when a thread is
# cancelled inside a hook. Frame pointers: a hook knows its caller's registers. No fortify: its
# checks abort the host. No _FILE_OFFSET_BITS: it would rename our open to open64. No vectors of two
# counters: they are loaded as a whole right after one half was stored, and that takes a dozen cycles. NULL is looked
# for also where libc's headers say that an argument is none: the program may know better.
LIB_FLAGS := -fPIC -fvisibility=hidden -fno-builtin -ftls-model=initial-exec -fexceptions -fno-tree-slp-vectorize \
	-D'__nonnull(arguments)=' -fasynchronous-unwind-tables -fno-omit-frame-pointer -fno-stack-protector -U_FORTIFY_SOURCE
LIB_LINK := -shared -Wl,-soname,libwhoholds.so -Wl,-z,defs -Wl,-z,now -Wl,-Bsymbolic -Wl,--exclude-libs,ALL \
	-Wl,--gc-sections -Wl,--version-script,$(PLAIN)/exports.map
CLI_LIBS := -ldw -lelf -liberty

# Test programs look as a distribution's programs do, save that every call keeps its frame.
PROG_FLAGS := -O1 -g -fno-optimize-sibling-calls -D_GNU_SOURCE -Ishim -Itestprogs -pthread $(CFLAGS)
PROG_WARN := $(WARN) -Wno-unused-but-set-variable -Wno-infinite-recursion \
	$(if $(findstring clang,$(CC)),-Wno-unknown-warning-option)

# One list of folders a program: a new file in them needs no line here.
SHARED_SRC := $(wildcard shim/base/*.c shim/registry/view.c shim/registry/snapshot.c shim/registry/kind.c shim/options.c shim/option_values.c shim/pairs.c \
	reporter/finding.c reporter/mapped.c reporter/suppress.c reporter/detect/*.c reporter/write/*.c)
LIB_SRC := $(sort $(wildcard shim/*.c shim/*/*.c reporter/*.c reporter/detect/*.c reporter/scan/*.c reporter/write/*.c))
CLI_SRC := $(sort $(SHARED_SRC) $(wildcard reporter/recording/*.c reporter/symbolize/*.c reporter/cli/*.c))
UNIT_SRC := $(wildcard testprogs/unit/*.c)
PROG_SRC := $(wildcard testprogs/*.c testprogs/*.cc $(foreach d,hostile clean bench real wrong,testprogs/$(d)/*.c testprogs/$(d)/*.cc))

LIB_OBJ := $(LIB_SRC:%.c=$(PLAIN)/obj/lib/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/obj/cli/%.o)
UNIT_OBJ := $(UNIT_SRC:%.c=$(BUILD)/obj/cli/%.o)
UNIT_BIN := $(patsubst testprogs/unit/%.c,$(BUILD)/unit/%,$(filter testprogs/unit/test_%,$(UNIT_SRC)))
PROG_LIB := $(patsubst %.c,$(PLAIN)/obj/%.o,$(wildcard testprogs/lib/*.c))
PROG_SHARED := $(patsubst testprogs/shared/%.c,$(PLAIN)/testprogs/shared/lib%.so,$(wildcard testprogs/shared/*.c))
PROG_BIN := $(addprefix $(PLAIN)/,$(basename $(PROG_SRC)))
MAN := $(patsubst reporter/man/%.scd,$(PLAIN)/man/%,$(wildcard reporter/man/*.scd))
LIB := $(PLAIN)/lib/libwhoholds.so
CLI := $(BUILD)/bin/whoholds

## all: build the library, the command and the test programs
all: $(LIB) $(CLI) $(PROG_BIN) $(MAN)

$(LIB): $(LIB_OBJ) $(PLAIN)/exports.map
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(LIB_LINK) -o $@ $(LIB_OBJ)

$(PLAIN)/exports.map: scripts/exports.sh shim/platform/symbols.def $(wildcard shim/platform/operators.def shim/whoholds.h)
	@mkdir -p $(@D)
	$(Q)scripts/exports.sh >$@

$(CLI): $(CLI_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(SAN_FLAGS) -o $@ $(CLI_OBJ) $(CLI_LIBS)

# Nobody asks these for their callers' registers.
$(PLAIN)/obj/lib/shim/registry/%.o: LIB_FLAGS += -fomit-frame-pointer

$(PLAIN)/obj/lib/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE_FLAGS) $(LIB_FLAGS) -MMD -MP -c -o $@ $<

# Where the command looks for the library when it is not beside it.
$(BUILD)/obj/cli/reporter/cli/launch.o: BASE_FLAGS += -DWH_LIBDIR='"$(LIBDIR)"'

$(BUILD)/obj/cli/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE_FLAGS) $(SAN_FLAGS) -MMD -MP -c -o $@ $<

# A test program may bring flags of its own, in a line "BUILD: flags" of its first comment.
own_flags = $$(CC='$(CC)' scripts/own-flags $< -L$(PLAIN)/testprogs/shared)

$(PLAIN)/obj/testprogs/lib/%.o: testprogs/lib/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 $(PROG_FLAGS) $(PROG_WARN) -MMD -MP -c -o $@ $<

# Libraries of the test programs, found beside them.
$(PLAIN)/testprogs/shared/lib%.so: testprogs/shared/%.c
	@mkdir -p $(@D)
	$(call say,LIB,$<)$(CC) -std=gnu11 $(PROG_FLAGS) $(PROG_WARN) -fPIC -shared -MMD -MP -MF $@.d -o $@ $< -L$(PLAIN)/testprogs/shared $(own_flags)

# One that needs another.
$(PLAIN)/testprogs/shared/libcarrier.so: $(PLAIN)/testprogs/shared/libplugin.so

SHARED_LINK := -L$(PLAIN)/testprogs/shared -Wl,-rpath,'$$ORIGIN/shared:$$ORIGIN/../shared'

$(PLAIN)/testprogs/%: testprogs/%.c $(PROG_LIB) | $(PROG_SHARED)
	@mkdir -p $(@D)
	$(call say,PROG,$<)$(CC) -std=gnu11 $(PROG_FLAGS) $(PROG_WARN) -MMD -MP -MF $@.d -o $@ $< $(PROG_LIB) $(SHARED_LINK) $(own_flags)

$(PLAIN)/testprogs/%: testprogs/%.cc $(PROG_LIB) | $(PROG_SHARED)
	@mkdir -p $(@D)
	$(call say,PROG,$<)$(CXX) -std=gnu++20 $(PROG_FLAGS) -Wall -Wextra -MMD -MP -MF $@.d -o $@ $< $(PROG_LIB) $(SHARED_LINK) $(own_flags)

$(PLAIN)/man/%: reporter/man/%.scd
	@mkdir -p $(@D)
	$(call say,MAN,$<)scdoc <$< >$@

# A unit test is linked with the command's objects, all but main's; one that needs others says so in
# testprogs/unit/*.mk: UNIT_OBJ_test_x := objects, UNIT_LIBS_test_x := libraries. What is not test_*.c helps them all.
-include $(wildcard testprogs/unit/*.mk)
UNIT_WITH := $(filter-out %/cli/main.o,$(CLI_OBJ)) $(filter-out $(BUILD)/obj/cli/testprogs/unit/test_%,$(UNIT_OBJ))

$(UNIT_BIN): $(BUILD)/unit/%: $(BUILD)/obj/cli/testprogs/unit/%.o $$(or $$(UNIT_OBJ_$$*),$(UNIT_WITH))
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(SAN_FLAGS) -o $@ $^ -lcheck -lsubunit -lrt -lm -pthread $(CLI_LIBS) $(UNIT_LIBS_$*)

unit-programs: $(UNIT_BIN)

## demo: install what is missing, build, and watch a program hang
demo:
	$(Q)scripts/deps.sh build
	$(Q)$(MAKE) -j$$(nproc) $(LIB) $(CLI) $(PLAIN)/testprogs/leaky_range
	$(Q)scripts/demo.sh $(PLAIN)

## test: install what is missing, build, and run every test
test:
	$(Q)scripts/deps.sh build test
	$(Q)$(MAKE) -j$$(nproc) all unit-programs
	$(Q)scripts/test-all $(PLAIN)

## check: static checks (layers, exports, imports, docs, style, clang-tidy, cppcheck, shellcheck)
check: all
	$(Q)scripts/check-all $(PLAIN)

## check-unit: the unit tests: as they are, under valgrind, and sanitized
check-unit: unit-programs
	$(Q)$(MAKE) SAN=address,undefined unit-programs
	$(Q)scripts/run-unit $(PLAIN)

## check-testprogs: every test program under the command, against what its first comment expects
check-testprogs: all
	$(Q)scripts/run-testprogs --build $(PLAIN)

## check-real: real programs with and without the library; what is lost in them, beside memcheck's word
check-real: all
	$(Q)scripts/real-programs.sh --build $(PLAIN)
	$(Q)scripts/leak-peers.sh --build $(PLAIN)

## check-faults: SIGKILL at any moment, no room for a recording, a directory that can't be used
check-faults: all
	$(Q)scripts/fault-test.sh $(PLAIN) && scripts/kill-test $(PLAIN)

## check-stacks: some five million captured stacks against libunwind's, in real programs and in code of several compilers
check-stacks: all
	$(Q)scripts/check-stacks --build $(PLAIN)

## bench: install what is missing, build, and measure what it costs, beside other tools; BENCH="--only malloc-same --rounds 30"
bench:
	$(Q)scripts/deps.sh build bench
	$(Q)$(MAKE) -j$$(nproc) $(LIB) $(CLI) $(filter $(PLAIN)/testprogs/bench/%,$(PROG_BIN))
	$(Q)scripts/bench --build $(PLAIN) $(BENCH)

# What is installed: file, place, mode. `uninstall` goes by the same list.
INSTALLED = $(CLI):$(PREFIX)/bin/whoholds:755 $(LIB):$(LIBDIR)/libwhoholds.so:755 \
	shim/whoholds.h:$(PREFIX)/include/whoholds.h:644 $(PLAIN)/whoholds.pc:$(LIBDIR)/pkgconfig/whoholds.pc:644 \
	$(foreach f,$(MAN),$(f):$(PREFIX)/share/man/man$(subst .,,$(suffix $(f)))/$(notdir $(f)):644) \
	$(foreach f,$(wildcard reporter/examples/*),$(f):$(PREFIX)/share/doc/whoholds/examples/$(notdir $(f)):644) \
	$(foreach f,$(wildcard reporter/completion/whoholds.bash),$(f):$(PREFIX)/share/bash-completion/completions/whoholds:644) \
	$(foreach f,$(wildcard reporter/completion/_whoholds),$(f):$(PREFIX)/share/zsh/site-functions/_whoholds:644) \
	$(foreach f,$(wildcard reporter/completion/whoholds.fish),$(f):$(PREFIX)/share/fish/vendor_completions.d/whoholds.fish:644)

$(PLAIN)/whoholds.pc: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$${prefix}/include' '' 'Name: whoholds' \
		'Description: annotations for whoholds; the library is preloaded, not linked' 'Version: $(VERSION)' \
		'Cflags: -I$${includedir}' 'preload=$${libdir}/libwhoholds.so' >$@

## bench-maps: five ways to iterate over a map that others change, for the README
bench-maps: all
	$(Q)scripts/bench-maps --build $(PLAIN) --readme

## install: to PREFIX=/usr/local, below DESTDIR=
install: $(LIB) $(CLI) $(MAN) $(PLAIN)/whoholds.pc
	$(Q)$(foreach f,$(INSTALLED),install -D -m $(word 3,$(subst :, ,$(f))) \
		$(word 1,$(subst :, ,$(f))) $(DESTDIR)$(word 2,$(subst :, ,$(f))) &&) true

## uninstall: what `install` with the same PREFIX and DESTDIR put there
uninstall:
	$(Q)rm -f $(foreach f,$(INSTALLED),$(DESTDIR)$(word 2,$(subst :, ,$(f))))

## dist: the sources as a tar archive
dist:
	@mkdir -p build
	$(Q)git archive --prefix=whoholds-$(VERSION)/ -o build/whoholds-$(VERSION).tar.gz HEAD
	@echo build/whoholds-$(VERSION).tar.gz

## ci: what a commit has to pass
ci:
	$(Q).ci/run

## clean: remove what was built
clean:
	$(Q)rm -rf build

## help: list the targets
help:
	$(Q)sed -n 's/^## \([a-z-]*\): /  \1\t/p' Makefile | expand -t 20

.PHONY: FORCE all unit-programs demo test check check-unit check-testprogs check-real check-faults check-stacks bench bench-maps install uninstall \
	dist ci clean help
.SECONDARY: $(UNIT_OBJ) $(PROG_LIB) $(PROG_SHARED)
# All that there are: some objects are made for unit tests alone, and named in their own files.
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
