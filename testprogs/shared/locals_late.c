/* The same under other names, to be loaded beside it, later. */
#define LOCALS(name) locals_late_##name
#define SESSION late_session

#include "shared/locals.c"
