#include "reporter/write/file_name.h"

void file_name_expand(struct text *into, const char *pattern, const struct view *view)
{
	for (const char *at = pattern; *at; at++) {
		if (at[0] == '%' && at[1] == 'p')
			text_signed(into, view->header->pid);
		else if (at[0] == '%' && at[1] == 'n')
			text_put(into, view_program(view));
		else if (at[0] == '%' && at[1] == '%')
			text_byte(into, '%');
		else {
			text_byte(into, *at);
			continue;
		}
		at++;
	}
}

bool file_name_is_per_process(const char *pattern)
{
	for (const char *at = pattern; *at; at++) {
		if (at[0] != '%')
			continue;
		if (at[1] == 'p' || at[1] == 'n')
			return true;
		if (at[1] == '%')
			at++;
	}
	return false;
}
