/*
 * The same with everything given back.
 *
 * BUILD: -I/usr/include/mariadb -lmariadb
 * RUN: whoholds run --set children=no %prog %src/shared/database-server %dir/db
 * TIMEOUT: 120
 * KINDS: none
 * EXPECT-STDOUT: second command: fine
 */
#define GIVES_BACK true
#include "lib/mariadb_client.h"
