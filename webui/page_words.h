/*
 * page_words.h - words of models, as people read them.
 *
 * Models speak in fixed words ("phish", "sender-list", "option.set"); pages
 * show a label in the reader's language, and a tone that their badge has.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PAGE_WORDS_H
#define WEBUI_PAGE_WORDS_H

#include <stddef.h>

struct page_word {
	const char *word; /* NULL: the end of the list */
	const char *label;
	const char *tone; /* good, warn, bad, info, or NULL */
};

struct page_word_list {
	const char *kind; /* NULL: the end */
	const struct page_word *words;
};

extern const struct page_word_list page_word_lists[];

/* NULL when there is no such list or word. */
const struct page_word *page_words_of(const char *kind);
const struct page_word *page_word_find(const char *kind, const char *word);

#endif
