/* Of libc's own. */
#ifndef TESTPROGS_LIBRARY_PAIRS_LIBC_H
#define TESTPROGS_LIBRARY_PAIRS_LIBC_H

#include <fts.h>
#include <glob.h>
#include <iconv.h>
#include <ifaddrs.h>
#include <mntent.h>
#include <netdb.h>
#include <regex.h>
#include <wordexp.h>

static void libc_regex(bool gives_back)
{
	regex_t expression;
	if (regcomp(&expression, "a+[bc]*", REG_EXTENDED) == 0 && gives_back)
		regfree(&expression);
}

static void libc_glob(bool gives_back)
{
	glob_t found;
	if (glob("/*", 0, NULL, &found) == 0 && gives_back)
		globfree(&found);
}

static void libc_wordexp(bool gives_back)
{
	wordexp_t words;
	if (wordexp("some words", &words, WRDE_NOCMD) == 0 && gives_back)
		wordfree(&words);
}

static void libc_addresses(bool gives_back)
{
	struct addrinfo *list, wanted = { .ai_flags = AI_NUMERICHOST };
	if (getaddrinfo("127.0.0.1", NULL, &wanted, &list) == 0 && gives_back)
		freeaddrinfo(list);
}

static void libc_interfaces(bool gives_back)
{
	struct ifaddrs *list;
	if (getifaddrs(&list) == 0 && gives_back)
		freeifaddrs(list);
}

static void libc_tree(bool gives_back)
{
	char *paths[] = { (char[]){ "/" }, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (tree && gives_back)
		fts_close(tree);
}

static void libc_mounts(bool gives_back)
{
	FILE *table = setmntent("/proc/mounts", "r");
	if (table && gives_back)
		endmntent(table);
}

static void libc_iconv(bool gives_back)
{
	iconv_t conversion = iconv_open("UTF-16", "UTF-8");
	if (conversion != (iconv_t)-1 && gives_back)
		iconv_close(conversion);
}

#define PLANTS_LIBC \
	PLANT(libc_regex, "regular expression") \
	PLANT(libc_glob, "list of file names") \
	PLANT(libc_wordexp, "list of words") \
	PLANT(libc_addresses, "address list") \
	PLANT(libc_interfaces, "interface list") \
	PLANT(libc_tree, "file tree") \
	PLANT(libc_mounts, "mount table") \
	PLANT(libc_iconv, "character conversion")

#endif
