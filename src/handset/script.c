/* script.c - lines of a script; see script.h. */
#include "handset/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_S 30

struct script {
    char *bytes;
    struct text rest, line; /* line: the one that waits */
    unsigned number;
    uint64_t until_ms; /* of a wait or sleep; 0: none runs */
};

/* clang-format off */
static const struct key_row {
    const char *name;
    enum handset_key key;
} keys[] = {
    {"line", HANDSET_LINE},         {"softkey", HANDSET_SOFTKEY},   {"hook", HANDSET_HOOK},
    {"speaker", HANDSET_SPEAKER},   {"messages", HANDSET_MESSAGES_KEY}, {"services", HANDSET_SERVICES},
    {"directories", HANDSET_DIRECTORIES}, {"settings", HANDSET_SETTINGS}, {"hold", HANDSET_HOLD},
    {"transfer", HANDSET_TRANSFER}, {"conference", HANDSET_CONFERENCE}, {"redial", HANDSET_REDIAL},
    {"up", HANDSET_UP},             {"down", HANDSET_DOWN},         {"select", HANDSET_SELECT},
    {"back", HANDSET_BACK},
};
/* clang-format on */

bool script_key(struct text name, enum handset_key *ret)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (text_is(name, keys[i].name)) {
            *ret = keys[i].key;
            return true;
        }
    return false;
}

struct script *script_load(const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    struct script *s = f ? calloc(1, sizeof(*s)) : NULL;
    size_t n = 0, room = 0;
    char *more;

    while (s) {
        if (n + 4096 > room) {
            room = room ? room * 2 : 8192;
            more = realloc(s->bytes, room);
            if (!more)
                break;
            s->bytes = more;
        }
        size_t got = fread(s->bytes + n, 1, room - n, f);
        n += got;
        if (!got)
            break;
    }
    if (f && f != stdin)
        fclose(f);
    if (s)
        s->rest = (struct text){s->bytes, n};
    return s;
}

void script_free(struct script *s)
{
    if (!s)
        return;
    free(s->bytes);
    free(s);
}

static bool says(struct script_step *ret, enum script_kind kind, const struct script *s,
                 const char *words)
{
    ret->kind = kind;
    if (kind == SCRIPT_FAILED)
        snprintf(ret->words, sizeof(ret->words), "line %u: %s: %.*s", s->number, words,
                 (int)(s->line.len < 100 ? s->line.len : 100), s->line.at);
    else
        snprintf(ret->words, sizeof(ret->words), "%s", words);
    return true;
}

static uint64_t milliseconds(struct text t, double usual_s)
{
    char copy[32];
    char *end;
    double s;

    text_copy(copy, sizeof(copy), text_trim(t));
    s = strtod(copy, &end);
    return (uint64_t)((end == copy ? usual_s : s) * 1000);
}

static bool on_display(const struct handset *h, struct text words)
{
    struct lcd lcd;

    handset_lcd(h, &lcd);
    for (unsigned i = 0; i < lcd.rows; i++)
        if (text_contains_nocase(text_of(lcd.text[i]), words))
            return true;
    for (unsigned i = 0; i < lcd.n_softkeys; i++)
        if (text_contains_nocase(text_of(lcd.softkeys[i]), words))
            return true;
    return false;
}

/* The condition of `wait`, and how long at most. */
static bool came(const struct handset *h, struct text condition, uint64_t *limit_ms)
{
    struct text rest = text_trim(condition), words;

    if (rest.len && rest.at[0] == '"') {
        rest = text_skip(rest, 1);
        words = text_split(&rest, '"');
        *limit_ms = milliseconds(rest, WAIT_S);
        return on_display(h, words);
    }
    words = text_split(&rest, ' ');
    *limit_ms = milliseconds(rest, WAIT_S);
    return text_is(words, handset_state(h));
}

static int press(struct handset *h, struct text what)
{
    struct text rest = text_trim(what), name = text_split(&rest, ' ');
    enum handset_key key;
    uint32_t n = 1;

    if (rest.at && text_to_u32(text_trim(rest), 10, &n) < 0)
        return -EINVAL;
    return script_key(name, &key) ? handset_press(h, key, n) : -EINVAL;
}

static int press_softkey(struct handset *h, struct text label)
{
    struct lcd lcd;

    handset_lcd(h, &lcd);
    for (unsigned i = 0; i < lcd.n_softkeys; i++)
        if (text_equal_nocase(text_trim(label), text_of(lcd.softkeys[i])))
            return handset_press(h, HANDSET_SOFTKEY, i + 1);
    return -ENOENT;
}

static int type(struct handset *h, struct text digits)
{
    int err = 0;

    digits = text_trim(digits);
    for (size_t i = 0; i < digits.len && !err; i++)
        err = handset_press(h, HANDSET_DIGIT, (unsigned char)digits.at[i]);
    return err;
}

static bool act(struct script *s, struct handset *h, struct text verb, struct text rest,
                struct script_step *ret)
{
    int err = 0;
    char words[160];

    if (text_is(verb, "show"))
        return says(ret, SCRIPT_SHOW, s, "");
    if (text_is(verb, "quit"))
        return says(ret, SCRIPT_END, s, "");
    if (text_is(verb, "say")) {
        text_copy(words, sizeof(words), rest);
        return says(ret, SCRIPT_SAY, s, words);
    }
    if (text_is(verb, "keys"))
        err = type(h, rest);
    else if (text_is(verb, "press"))
        err = press(h, rest);
    else if (text_is(verb, "softkey"))
        err = press_softkey(h, rest);
    else if (text_is(verb, "reset"))
        runner_leave(&h->runner, PHONE_EVENT_RESET);
    else if (text_is(verb, "restart"))
        runner_leave(&h->runner, PHONE_EVENT_RESTART);
    else if (text_is(verb, "plug") || text_is(verb, "unplug"))
        handset_power(h, text_is(verb, "plug"));
    else
        return says(ret, SCRIPT_FAILED, s, "no such command");
    if (err == -ENOTCONN)
        return says(ret, SCRIPT_FAILED, s, "the phone is not registered");
    if (err == -EOPNOTSUPP)
        return says(ret, SCRIPT_FAILED, s, "SIP phones make no calls here");
    if (err)
        return says(ret, SCRIPT_FAILED, s, "the phone has no such key now");
    return says(ret, SCRIPT_DONE, s, "");
}

/* A line that waits is looked at again until its time is over. */
static bool wait_on(struct script *s, struct handset *h, uint64_t now_ms, struct script_step *ret)
{
    struct text rest = s->line, verb = text_split(&rest, ' ');
    bool is_wait = text_is(verb, "wait"), done;
    uint64_t limit_ms = 0;

    done = is_wait && came(h, rest, &limit_ms);
    if (!is_wait)
        limit_ms = milliseconds(rest, 1);
    if (!s->until_ms)
        s->until_ms = now_ms + limit_ms;
    if (!done && now_ms < s->until_ms)
        return false;
    s->until_ms = 0;
    if (is_wait && !done) {
        says(ret, SCRIPT_FAILED, s, "waited in vain");
        s->line = (struct text){0};
        return true;
    }
    s->line = (struct text){0};
    return says(ret, SCRIPT_DONE, s, "");
}

bool script_next(struct script *s, struct handset *h, uint64_t now_ms, struct script_step *ret)
{
    struct text rest, verb;

    if (s->line.len)
        return wait_on(s, h, now_ms, ret);
    do {
        if (!s->rest.at || !s->rest.len)
            return says(ret, SCRIPT_END, s, "");
        s->line = text_trim(text_split(&s->rest, '\n'));
        s->number++;
    } while (!s->line.len || s->line.at[0] == '#');
    rest = s->line;
    verb = text_split(&rest, ' ');
    if (text_is(verb, "wait") || text_is(verb, "sleep"))
        return wait_on(s, h, now_ms, ret);
    act(s, h, verb, rest, ret);
    s->line = (struct text){0};
    return true;
}
