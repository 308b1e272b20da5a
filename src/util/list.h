/* Intrusive doubly linked ring; its head and its members are the same struct. A member that is
 * in no list points to itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Adds at the end. */
static inline void list_add(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define list_entry(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define list_for_each(pos, head) \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)
/* Safe against removal of pos itself. */
#define list_for_each_safe(pos, head) \
	for (struct list *pos = (head)->next, *pos##_next = pos->next; pos != (head); \
	     pos = pos##_next, pos##_next = pos->next)

/* The same over what the list's members are part of: `item` is a pointer to `type`, which has the
 * list as `member`. */
#define list_for_each_entry(type, item, head, member) \
	for (type *item = list_entry((head)->next, type, member); &item->member != (head); \
	     item = list_entry(item->member.next, type, member))
#define list_for_each_entry_safe(type, item, head, member) \
	for (type *item = list_entry((head)->next, type, member), \
		  *item##_next = list_entry(item->member.next, type, member); \
	     &item->member != (head); \
	     item = item##_next, item##_next = list_entry(item##_next->member.next, type, member))
