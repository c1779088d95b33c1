# The table alone.
UNIT_OBJ_test_destroyed := $(BUILD)/obj/cli/shim/registry/destroyed.o
