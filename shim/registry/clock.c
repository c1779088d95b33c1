#include "registry/clock.h"

struct clock_published clock_published;
