# The memory of incidents is the library's alone; the command has no use for it.
UNIT_OBJ_test_incident = $(UNIT_WITH) $(BUILD)/obj/cli/reporter/incident.o
