# Blocks as check=heap dresses them up, without the hooks around it.
UNIT_OBJ_test_checked := $(BUILD)/obj/cli/shim/hooks/checked.o
