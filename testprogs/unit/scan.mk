# The scan is in the library alone; its tests link it without the rest.
SCAN_OBJ := $(patsubst %.c,$(BUILD)/obj/cli/%.o,$(addprefix reporter/scan/,blocks.c extents.c group.c heap.c maps.c mark.c memory.c \
	numbers.c pages.c paths.c polled.c ranges.c stacks.c stop.c task.c timers.c usual.c) $(addprefix shim/base/,digits.c sort.c text.c) \
	shim/registry/opened.c $(addprefix shim/platform/,elf_next.c files.c guest.c process.c sys.c vdso.c))
UNIT_OBJ_test_scan_extents := $(SCAN_OBJ)
UNIT_OBJ_test_scan_group := $(SCAN_OBJ)
UNIT_OBJ_test_scan_mark := $(SCAN_OBJ)
UNIT_OBJ_test_scan_numbers := $(SCAN_OBJ)
UNIT_OBJ_test_scan_paths := $(SCAN_OBJ)
UNIT_OBJ_test_scan_process := $(SCAN_OBJ)
UNIT_OBJ_test_scan_stop := $(SCAN_OBJ)
UNIT_OBJ_test_scan_usual := $(SCAN_OBJ)
