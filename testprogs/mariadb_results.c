/*
 * A look-up returns early and does not free its result: the connection can't be used for anything else any more, the
 * next command is refused, and the statement of another one is never closed.
 *
 * BUILD: -I/usr/include/mariadb -lmariadb
 * RUN: whoholds run --set children=no %prog %src/shared/database-server %dir/db
 * TIMEOUT: 120
 * KINDS: iterator-leak
 * EXPECT: resource "MySQL result" was never released, opened in first_of
 * EXPECT: 2 resources "MySQL statement" were never released, opened in prepared
 * EXPECT-STDOUT: Commands out of sync
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "first_of"; {{line mariadb_client.h uses}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 2 and has_frame("opened"; "prepared"; {{line mariadb_client.h prepares}})
 */
#define GIVES_BACK false
#include "lib/mariadb_client.h"
