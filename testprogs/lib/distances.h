/*
 * A list of orders whose links are distances, as in memory that may be mapped anywhere (Berkeley DB has such): an element knows how far it
 * is to the next one, and back to the word that leads to itself.
 */
#ifndef TESTPROGS_DISTANCES_H
#define TESTPROGS_DISTANCES_H

#include <stdint.h>
#include <stdlib.h>

struct order {
	long number;
	intptr_t next; /* from the element; 0: it is the last */
	intptr_t back; /* from the element to the word that leads here */
	char *text;
};

struct orders {
	long count;
	intptr_t first; /* from `first` itself */
};

static struct orders *orders;

static struct order *first_order(void)
{
	return orders->first ? (struct order *)((char *)&orders->first + orders->first) : NULL;
}

static struct order *next_of(const struct order *order)
{
	return order->next ? (struct order *)((char *)order + order->next) : NULL;
}

/* Makes `to` what the word at `link` leads to, seen from `from`. */
static void lead(void *from, intptr_t *link, struct order *to)
{
	*link = to ? (char *)to - (char *)from : 0;
	if (to)
		to->back = (char *)link - (char *)to;
}

static void add_order(long number)
{
	struct order *order = malloc(sizeof *order);
	if (!order || !(order->text = malloc(500)))
		exit(2);
	order->number = number;
	lead(order, &order->next, first_order());
	lead(&orders->first, &orders->first, order);
}

/* Takes the one behind `order` out of the list. It still knows where it was. */
static struct order *take_behind(struct order *order)
{
	struct order *taken = next_of(order);
	if (taken)
		lead(order, &order->next, next_of(taken));
	return taken;
}

static void fill_orders(void)
{
	orders = malloc(sizeof *orders);
	if (!orders)
		exit(2);
	orders->first = 0;
	/* More than the rounds in which the scan looks for lists: each element lies in front of the one before. */
	for (long number = 0; number < 400; number++)
		add_order(number);
}

#endif
