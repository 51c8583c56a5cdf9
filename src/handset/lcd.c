/* lcd.c - what stands on the display now, as rows of text; see handset.h. */
#include <stdio.h>
#include <string.h>

#include "handset/handset.h"

static void row(struct lcd *l, const char *words)
{
    if (l->rows < LCD_ROWS)
        text_copy(l->text[l->rows++], sizeof(l->text[0]), text_of(words));
}

/* Left and right in one row; characters, not bytes, are counted. */
static void row_ends(struct lcd *l, const char *left, const char *right, bool reverse)
{
    char text[LCD_COLUMNS * 4 + 1];
    int n = 0, pad;

    for (const char *p = left; *p; p++)
        n += (*p & 0xc0) != 0x80;
    for (const char *p = right; *p; p++)
        n += (*p & 0xc0) != 0x80;
    pad = (int)l->columns > n ? (int)l->columns - n : 1;
    snprintf(text, sizeof(text), "%.100s%*s%.100s", left, pad, "", right);
    l->reverse[l->rows < LCD_ROWS ? l->rows : 0] = reverse;
    row(l, text);
}

static bool is_text_display(const struct handset *h)
{
    return h->kind.model->screen.columns != 0;
}

/* A text of any length in two rows, broken at a blank where there is one. */
static void two_rows(struct lcd *l, const char *words)
{
    size_t n = strlen(words), cut = n;
    char first[LCD_COLUMNS * 4 + 1];

    if (n > l->columns) {
        cut = l->columns;
        while (cut > 0 && words[cut] != ' ')
            cut--;
        cut = cut ? cut : l->columns;
    }
    snprintf(first, sizeof(first), "%.*s", (int)cut, words);
    row(l, first);
    row(l, words[cut] == ' ' ? words + cut + 1 : words + cut);
}

static const char *own_number(const struct handset *h)
{
    for (unsigned i = 0; i < h->screen.n_keys; i++)
        if (h->screen.keys[i].feature == SCCP_BUTTON_LINE && *h->screen.keys[i].number)
            return h->screen.keys[i].number;
    return "";
}

static void text_display(const struct handset *h, struct lcd *l)
{
    char rows[KEYPAD_ROWS][KEYPAD_COLUMNS + 1], date[24], time[16];

    if (h->keypad.page != KEYPAD_CLOSED) {
        keypad_setup_print(&h->keypad, rows);
        row(l, rows[0]);
        row(l, rows[1]);
    } else if (*h->screen.status) {
        two_rows(l, h->screen.status);
    } else if (*h->screen.text[0] || *h->screen.text[1]) {
        row(l, h->screen.text[0]);
        row(l, h->screen.text[1]);
    } else {
        screen_time(&h->screen, runner_now_ms(), date, sizeof(date), time, sizeof(time));
        row_ends(l, time, date, false);
        row_ends(l, own_number(h), screen_prompt(&h->screen), false);
    }
}

static void menu_display(const struct handset *h, struct lcd *l)
{
    char title[MENU_WIDTH + 1], rows[MENU_ROWS][MENU_WIDTH + 1];
    const char *labels[4], *messages[HANDSET_MESSAGES];
    char copies[HANDSET_MESSAGES][96];
    struct menu_view v = {.now = h->runner.boot ? &h->runner.boot->network : &h->flash,
                          .boot = h->runner.boot,
                          .load = h->runner.load ? h->runner.load : h->kind.load,
                          .mac = h->runner.mac,
                          .messages = (const char(*)[96])copies};
    int cursor;
    unsigned n;

    for (unsigned i = 0; i < HANDSET_MESSAGES && i < h->n_messages; i++) {
        messages[i] = h->messages[(h->n_messages - 1 - i) % HANDSET_MESSAGES].text;
        snprintf(copies[v.n_messages++], sizeof(copies[0]), "%.95s", messages[i]);
    }
    n = menu_print(&h->menu, &v, title, rows, &cursor);
    row_ends(l, title, "", true);
    for (unsigned i = 0; i < n; i++) {
        l->reverse[l->rows] = (int)i == cursor;
        row(l, rows[i]);
    }
    l->n_softkeys = menu_softkeys(&h->menu, labels);
    for (unsigned i = 0; i < l->n_softkeys; i++)
        snprintf(l->softkeys[i], sizeof(l->softkeys[i]), "%s", labels[i]);
}

/* The last of more keys than fit becomes `more`. */
static void screen_softkeys(const struct handset *h, struct lcd *l)
{
    const struct screen *s = &h->screen;
    unsigned room = h->kind.model->softkeys < 5 ? h->kind.model->softkeys : 5;
    unsigned per_page = s->n_softkeys > room && room ? room - 1 : room,
             from = s->softkey_page * per_page;

    for (unsigned i = from; i < s->n_softkeys && i < from + per_page; i++)
        snprintf(l->softkeys[l->n_softkeys++], sizeof(l->softkeys[0]), "%s", s->softkeys[i].label);
    if (s->n_softkeys > room && room)
        strcpy(l->softkeys[l->n_softkeys++], "more");
}

static const char *call_words(uint32_t state)
{
    const char *words = names_print(sccp_names_call_state, state);

    return words ? words : "";
}

static void picture_display(const struct handset *h, struct lcd *l)
{
    char date[24], time[16], when[48], line[160];
    const struct screen_call *call = screen_active_call(&h->screen);

    screen_time(&h->screen, runner_now_ms(), date, sizeof(date), time, sizeof(time));
    snprintf(when, sizeof(when), "%s %s", time, date);
    row_ends(l, *time ? when : h->kind.model->title, own_number(h), true);
    row(l, "");
    if (call) {
        snprintf(line, sizeof(line), "%s  %s", call_words(call->state), call->other);
        row(l, line);
    } else {
        row(l, "");
    }
    if (*h->screen.notify && *h->screen.status == 0)
        row(l, h->screen.notify);
    while (l->rows < 6)
        row(l, "");
    row(l, screen_prompt(&h->screen));
    screen_softkeys(h, l);
}

void handset_lcd(const struct handset *h, struct lcd *ret)
{
    *ret = (struct lcd){.columns = is_text_display(h) ? h->kind.model->screen.columns : 40};
    if (!h->powered) {
        row(ret, "");
        row(ret, "");
        return;
    }
    if (h->kind.model->quirks & MODEL_NO_DISPLAY)
        return;
    if (menu_is_open(&h->menu))
        menu_display(h, ret);
    else if (is_text_display(h))
        text_display(h, ret);
    else
        picture_display(h, ret);
}

unsigned handset_keys(const struct handset *h, struct screen_key *to)
{
    uint8_t features[MODEL_KEYS_MAX];
    size_t n;

    if (h->screen.n_keys) {
        memcpy(to, h->screen.keys, sizeof(h->screen.keys));
        return h->screen.n_keys;
    }
    n = model_buttons(h->kind.model, features, MODEL_KEYS_MAX);
    for (size_t i = 0; i < n; i++)
        to[i] = (struct screen_key){.feature = features[i] == MODEL_ANY_KEY ? SCCP_BUTTON_UNUSED
                                                                              : features[i],
                                      .lamp = SCCP_LAMP_OFF};
    return (unsigned)n;
}
