/* What libplugin.so brings. */
#ifndef WH_TESTPROGS_PLUGIN_H
#define WH_TESTPROGS_PLUGIN_H

void plugin_takes(void);
void plugin_gives(void);
/* From now on its destructor gives the lock back. */
void plugin_tidies(void);

#endif
