/*
 * What GLib makes and nobody keeps: a string, a list of slices, a table with its keys. Slices are blocks of malloc where GLib says so
 * itself (2.76 and later), or is told to.
 *
 * RUN: G_SLICE=always-malloc whoholds run %prog
 * BUILD: -I/usr/include/glib-2.0 -I/usr/lib/x86_64-linux-gnu/glib-2.0/include -lglib-2.0
 * KINDS: leak
 * EXPECT-JSON: finding("leak") | has_function("allocated"; "greet") and .count == 50
 * EXPECT-JSON: finding("leak") | has_function("allocated"; "points_new")
 * EXPECT-JSON: finding("leak") | has_function("allocated"; "table_new")
 */
#include <glib.h>

#include "lib/lose.h"

struct point {
	int x, y;
};

__attribute__((noinline)) static char *greet(int number)
{
	return g_strdup_printf("hello, %d", number);
}

__attribute__((noinline)) static GList *points_new(int count)
{
	GList *points = NULL;
	for (int i = 0; i < count; i++) {
		struct point *point = g_slice_new0(struct point);
		point->x = i;
		points = g_list_prepend(points, point);
	}
	return points;
}

__attribute__((noinline)) static GHashTable *table_new(void)
{
	GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (int i = 0; i < 20; i++)
		g_hash_table_insert(table, g_strdup_printf("key %d", i), GINT_TO_POINTER(i));
	return table;
}

__attribute__((noinline)) static void work(void)
{
	for (int i = 0; i < 50; i++)
		greet(i);
	points_new(30);
	table_new();
}

int main(void)
{
	work();
	wipe_stack();
	return 0;
}
