/* What libuser.so brings. It leaves libthings to the program to load. */
#ifndef WH_TESTPROGS_USER_H
#define WH_TESTPROGS_USER_H

struct thing;

struct user_table {
	struct thing *(*open)(const char *name);
	int (*close)(struct thing *thing);
};

extern const struct user_table user_table;
struct thing *user_opens(const char *name);
void user_closes(struct thing *thing);

#endif
