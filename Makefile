# whoholds. `make help` lists the targets; V=1 shows the commands; SAN=address,undefined
# builds everything but the preloaded library under sanitizers, in a folder of its own.
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

VERSION := 0.1.0
BUILD   := build$(if $(SAN),/san)
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
CC      ?= gcc
WERROR  ?= 1

ifeq ($(V),1)
Q   :=
say :=
else
Q   := @
say  = @printf '  %-7s %s\n' $(1) $(2);
endif

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith -Wvla \
	-Wno-missing-field-initializers $(if $(filter 1,$(WERROR)),-Werror)
BASE_FLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -DWH_VERSION='"$(VERSION)"' -Ishim -I. $(WARN) $(CFLAGS)

# The library. -fno-builtin: gcc turns malloc+memset into a call of calloc, i.e. of ourselves.
# initial-exec: no __tls_get_addr, which may allocate. -fexceptions: cleanups run when a thread is
# cancelled inside a hook. Frame pointers: a hook knows its caller's registers. No fortify: its
# checks abort the host. No _FILE_OFFSET_BITS: it would rename our open to open64.
LIB_FLAGS := -fPIC -fvisibility=hidden -fno-builtin -ftls-model=initial-exec -fexceptions \
	-fasynchronous-unwind-tables -fno-omit-frame-pointer -fno-stack-protector -U_FORTIFY_SOURCE
LIB_LINK := -shared -Wl,-soname,libwhoholds.so -Wl,-z,defs -Wl,-z,now -Wl,-Bsymbolic -Wl,--exclude-libs,ALL \
	-Wl,--gc-sections -Wl,--version-script,$(BUILD)/exports.map

# One list of folders a program: a new file in them needs no line here.
SHARED_SRC := $(wildcard shim/base/*.c shim/registry/view.c shim/registry/snapshot.c shim/registry/kind.c shim/options.c \
	reporter/finding.c reporter/suppress.c reporter/detect/*.c reporter/write/*.c)
LIB_SRC := $(sort $(wildcard shim/*.c shim/*/*.c reporter/*.c reporter/detect/*.c reporter/scan/*.c reporter/write/*.c))
CLI_SRC := $(sort $(SHARED_SRC) $(wildcard reporter/recording/*.c reporter/symbolize/*.c reporter/cli/*.c))
UNIT_SRC := $(wildcard testprogs/unit/*.c)
TESTPROG_SRC := $(wildcard testprogs/*.c testprogs/hostile/*.c testprogs/clean/*.c)

LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/obj/lib/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/obj/cli/%.o)
UNIT_OBJ := $(UNIT_SRC:%.c=$(BUILD)/obj/cli/%.o)
LIB := build/lib/libwhoholds.so
CLI := $(BUILD)/bin/whoholds

## all: build the library, the command and the test programs
all: $(LIB) $(CLI)

$(LIB): $(LIB_OBJ) $(BUILD)/exports.map
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(LIB_LINK) -o $@ $(LIB_OBJ) -Wl,-Bstatic -lunwind -llzma -Wl,-Bdynamic

$(BUILD)/exports.map: scripts/exports.sh shim/platform/symbols.def $(wildcard shim/platform/operators.def shim/whoholds.h)
	@mkdir -p $(@D)
	$(Q)scripts/exports.sh >$@

$(CLI): $(CLI_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(SAN_FLAGS) -o $@ $(CLI_OBJ) -ldw -lelf -liberty

$(BUILD)/obj/lib/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE_FLAGS) $(LIB_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/cli/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE_FLAGS) $(SAN_FLAGS) -MMD -MP -c -o $@ $<

SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)

## clean: remove what was built
clean:
	$(Q)rm -rf build

## help: list the targets
help:
	$(Q)sed -n 's/^## \([a-z-]*\): /  \1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: all clean help
-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(UNIT_OBJ:.o=.d)
