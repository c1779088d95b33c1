/*
 * Brings libplugin.so with it, and takes it along when it goes.
 *
 * BUILD: -lplugin -Wl,-rpath,$ORIGIN
 */
#include "shared/carrier.h"

#include "shared/plugin.h"

void carrier_takes(void)
{
	plugin_takes(); /* line: takes */
}

void carrier_gives(void)
{
	plugin_gives();
}
