#include "reporter/write/signalled.h"
#include "reporter/write/text_report.h"

/* ` (ended 3.1 s ago)`, or "". */
static const char *ended_text(struct names *names, const struct rec_signal *signal)
{
	nsec_t now = names->report->snapshot->now, ended;
	if (!signal_thread_ended(names, signal, &ended))
		return "";
	if (!ended || ended > now)
		return " (ended since)";
	return names_format(names, " (ended %s ago)", names_duration(names, now - ended));
}

void text_signalled(struct text_report *text, const struct object *object, size_t indent)
{
	struct names *names = &text->names;
	struct rec_signal signal;
	if (!object_signal(names, object, &signal))
		return;
	const char *label = names_format(
	    names, "last %s %s ago, by %s%s%s, in", kind_given_back(object->kind),
	    names_duration(names, text->report->snapshot->now - signal.at),
	    names_thread(names, signal.thread, signal.name), ended_text(names, &signal),
	    signal.count > 1 ? names_format(names, ", %s times in all", names_count(names, signal.count))
			     : "");
	text_line(text, indent, label, 0);
	text_stack(text, signal.stack, indent + 4);
}
