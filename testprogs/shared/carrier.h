/* What libcarrier.so brings, by libplugin.so. */
#ifndef WH_TESTPROGS_CARRIER_H
#define WH_TESTPROGS_CARRIER_H

void carrier_takes(void);
void carrier_gives(void);

#endif
