/*
 * The same, kept or given back; with GLib's own slices, of which it keeps more than are in use, and without.
 *
 * RUN: whoholds run %prog
 * RUN: G_SLICE=always-malloc whoholds run %prog
 * BUILD: -I/usr/include/glib-2.0 -I/usr/lib/x86_64-linux-gnu/glib-2.0/include -lglib-2.0
 * KINDS: none
 */
#include <glib.h>

#include "lib/lose.h"

struct point {
	int x, y;
};

static GList *points;
static GHashTable *table;
static GPtrArray *names;

__attribute__((noinline)) static void work(void)
{
	names = g_ptr_array_new_with_free_func(g_free);
	table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (int i = 0; i < 300; i++) {
		struct point *point = g_slice_new0(struct point);
		point->x = i;
		points = g_list_prepend(points, point);
		g_hash_table_insert(table, g_strdup_printf("key %d", i % 100), g_strdup("value"));
		g_ptr_array_add(names, g_strdup_printf("name %d", i));
		g_free(g_strdup("gone at once"));
		g_slice_free1(100, g_slice_alloc(100));
	}
	for (int i = 0; i < 100; i++) {
		g_slice_free(struct point, points->data);
		points = g_list_delete_link(points, points);
	}
	g_ptr_array_set_size(names, 10);
	GString *text = g_string_new("all of it");
	g_string_append_printf(text, " and %d", 1);
	g_string_free(text, TRUE);
}

int main(void)
{
	work();
	wipe_stack();
	return 0;
}
