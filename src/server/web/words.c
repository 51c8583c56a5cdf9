#include "server/web/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "doctor/say.h"

#define ARGUMENTS_MAX 10
#define STEPS_MAX     20000 /* of one comparison: the values may come from anybody */
#define DEPTH_MAX     3     /* values that are sentences themselves */
#define LENGTH_MAX    4000

const char *const words_tags[N_LANGUAGES] = {"en", "fr", "zh"};

struct row {
    const char *text[N_LANGUAGES];
};

static const struct row rows[] = {
#define SENTENCE(en, fr, zh) {{en, fr, zh}},
#include "server/web/sentences.def"
#undef SENTENCE
};
#define N_ROWS (sizeof(rows) / sizeof(*rows))

/* --- which language --- */

static enum language language_of(struct text tag)
{
    for (int l = 0; l < N_LANGUAGES; l++)
        if (tag.len >= 2 && !strncasecmp(tag.at, words_tags[l], 2) &&
            (tag.len == 2 || !isalnum((unsigned char)tag.at[2])))
            return (enum language)l;
    return N_LANGUAGES;
}

/* "fr;q=0.8": in thousandths; 1000 without. */
static unsigned weight_of(struct text rest)
{
    struct text q = text_trim(rest);
    unsigned weight = 0, place = 1000;

    if (!text_starts(q, "q="))
        return 1000;
    for (q = text_skip(q, 2); q.len; q = text_skip(q, 1))
        if (isdigit((unsigned char)*q.at)) {
            weight += (unsigned)(*q.at - '0') * place;
            place /= 10;
        }
    return weight;
}

enum language words_language(const char *accepted)
{
    struct text rest = text_of(accepted ? accepted : "");
    enum language best = LANGUAGE_EN;
    unsigned most = 0;

    while (rest.at && rest.len) {
        struct text value = text_split(&rest, ','), tag = text_trim(text_split(&value, ';'));
        enum language l = language_of(tag);
        unsigned weight = weight_of(value);

        if (l != N_LANGUAGES && weight > most) {
            best = l;
            most = weight;
        }
    }
    return best;
}

/* --- patterns --- */

struct match {
    struct text arguments[ARGUMENTS_MAX];
    size_t n;
    unsigned steps;
};

/* Behind "%.*s", "%-8llu", "%2$s"; *number: only digits fit. *place: from 1; 0: the next one. */
static const char *conversion(const char *p, unsigned *place, char *type)
{
    const char *digits = ++p;

    *place = 0;
    while (isdigit((unsigned char)*p))
        p++;
    if (*p == '$') {
        *place = (unsigned)strtoul(digits, NULL, 10);
        p++;
    }
    p += strspn(p, "-+#0123456789.*hlzj");
    *type = *p;
    return *p ? p + 1 : p;
}

static bool fits(const char *p, struct text t, struct match *m, size_t n);

/* A value: the shortest first with which the rest fits. */
static bool value_fits(const char *p, struct text t, struct match *m, size_t n, bool number)
{
    size_t most = number ? strspn(t.at, "-0123456789.") : t.len;
    bool value_follows = *p == '%' && p[1] != '%';

    if (n == ARGUMENTS_MAX)
        return false;
    for (size_t len = number ? 1 : 0; len <= most && len <= t.len; len++) {
        m->arguments[n] = (struct text){t.at, len};
        if (fits(p, text_skip(t, len), m, n + 1))
            return true;
        if (value_follows && !number)
            break; /* of two side by side the second one has it all */
    }
    return false;
}

static bool fits(const char *p, struct text t, struct match *m, size_t n)
{
    for (; *p; t = text_skip(t, 1)) {
        if (++m->steps > STEPS_MAX)
            return false;
        if (*p == '%' && p[1] != '%') {
            unsigned place;
            char type;

            p = conversion(p, &place, &type);
            return value_fits(p, t, m, n, strchr("diuxf", type));
        }
        p += *p == '%';
        if (!t.len || *t.at != *p++)
            return false;
    }
    m->n = n;
    return !t.len;
}

/* --- the table, found by a whole sentence or tried pattern by pattern --- */

static struct table {
    struct map whole; /* rows without values */
    const struct row *patterns[N_ROWS];
    size_t n_patterns;
    bool made;
} table;

static struct text key_of(const void *row)
{
    return text_of(((const struct row *)row)->text[LANGUAGE_EN]);
}

static bool has_values(const char *s)
{
    while ((s = strchr(s, '%')) && s[1] == '%')
        s += 2;
    return s;
}

/* Letters that stand in the pattern itself: those that say most are tried first. */
static int by_letters(const void *a, const void *b)
{
    size_t n[2] = {0, 0};

    for (int i = 0; i < 2; i++)
        for (const char *p = (*(const struct row *const *)(i ? b : a))->text[LANGUAGE_EN]; *p; p++)
            n[i] += *p != '%' && *p != 's';
    return n[0] < n[1] ? 1 : n[0] > n[1] ? -1 : 0;
}

static void make_table(void)
{
    map_init(&table.whole, key_of);
    for (size_t i = 0; i < N_ROWS; i++)
        if (has_values(rows[i].text[LANGUAGE_EN]))
            table.patterns[table.n_patterns++] = &rows[i];
        else
            map_put(&table.whole, (void *)(uintptr_t)&rows[i]);
    qsort(table.patterns, table.n_patterns, sizeof(*table.patterns), by_letters);
    table.made = true;
}

static const struct row *find(struct text english, struct match *m)
{
    const struct row *row;

    if (!table.made)
        make_table();
    m->n = 0;
    if (!english.len || english.len > LENGTH_MAX)
        return NULL;
    if ((row = map_get(&table.whole, english)))
        return row;
    for (size_t i = 0; i < table.n_patterns; i++) {
        m->steps = 0;
        if (fits(table.patterns[i]->text[LANGUAGE_EN], english, m, 0))
            return table.patterns[i];
    }
    return NULL;
}

bool words_know(struct text english)
{
    struct match m;

    return find(english, &m);
}

/* --- saying --- */

static void say_at(struct grow *to, enum language l, struct text english, unsigned depth);

/* What the doctor found has a table of its own. */
static struct text of_the_doctor(struct text english, enum language l)
{
    for (int c = 0; c < N_CAUSES; c++) {
        const struct cause_words *en = cause_words((enum cause)c, LANGUAGE_EN),
                                 *said = cause_words((enum cause)c, l);

        if (text_is(english, en->title))
            return text_of(said->title);
        if (text_is(english, en->todo))
            return text_of(said->todo);
    }
    return english;
}

static void say_pattern(struct grow *to, enum language l, const char *p, const struct match *m,
                        unsigned depth)
{
    size_t next = 0;

    while (*p) {
        size_t plain = strcspn(p, "%"), at;
        unsigned place;
        char type;

        grow_text(to, (struct text){p, plain});
        p += plain;
        if (!*p)
            return;
        if (p[1] == '%') {
            grow_string(to, "%");
            p += 2;
            continue;
        }
        p = conversion(p, &place, &type);
        at = place ? place - 1 : next++;
        if (at < m->n && (type == 't' || memchr(m->arguments[at].at, ' ', m->arguments[at].len)))
            say_at(to, l, m->arguments[at], depth + 1);
        else if (at < m->n)
            grow_text(to, m->arguments[at]);
    }
}

/* Says it something itself, or only joins what others say ("%s, %s", "%s and %s")? */
static bool has_words(const char *p)
{
    unsigned place, n = strchr(p, '"') ? 4 : 0;
    char type;

    while (*p && n < 6)
        if (*p == '%' && p[1] != '%')
            p = conversion(p, &place, &type);
        else
            n += isalpha((unsigned char)*p++) != 0;
    return n == 6;
}

/* Values that the doctor's findings name: what is sent is their English. */
static bool say_as_doctor(struct grow *to, enum language l, struct text english, unsigned depth)
{
    const struct sentence *row;

    if (!memchr(english.at, ' ', english.len))
        return false;
    for (size_t i = 0; (row = sentence_row(i)); i++) {
        struct match m = {.n = 0};

        if (has_words(row->text[LANGUAGE_EN]) && !strchr(row->text[LANGUAGE_EN], '[') &&
            fits(row->text[LANGUAGE_EN], english, &m, 0)) {
            say_pattern(to, l, row->text[l], &m, depth);
            return true;
        }
    }
    return false;
}

/* "SEP1: it is no phone", "A file could not be served: SEP1.cnf.xml": one side of the colon may be
 * known alone. */
static bool say_sides(struct grow *to, enum language l, struct text english, unsigned depth)
{
    static const char *const colons[N_LANGUAGES] = {": ", "\u00a0: ", "："};
    const char *at = memmem(english.at, english.len, ": ", 2);
    struct text left = english, right;

    if (!at || depth >= DEPTH_MAX)
        return false;
    left.len = (size_t)(at - english.at);
    right = text_skip(english, left.len + 2);
    if (!words_know(left) && !words_know(right))
        return false;
    say_at(to, l, left, depth + 1);
    grow_string(to, colons[l]);
    say_at(to, l, right, depth + 1);
    return true;
}

static bool ends_with_value(const struct row *row)
{
    struct text t = text_of(row->text[LANGUAGE_EN]);

    return t.len > 1 && (t.at[t.len - 2] == '%' || text_ends(t, "%zu"));
}

/* As it stands, as a sentence with its full stop or without, or as a word with its small letter. */
static bool say_found(struct grow *to, enum language l, struct text english, unsigned depth)
{
    struct match m, without;
    const struct row *row = find(english, &m), *plain = NULL;
    char small[40];

    if (text_ends(english, ".") && (!row || ends_with_value(row)))
        plain = find((struct text){english.at, english.len - 1}, &without);
    if (plain) {
        say_pattern(to, l, plain->text[l], &without, depth);
        grow_string(to, l == LANGUAGE_ZH ? "。" : ".");
        return true;
    }
    if (!row && english.len && english.len < sizeof(small)) {
        text_copy(small, sizeof(small), english);
        small[0] = (char)tolower((unsigned char)small[0]);
        row = map_get(&table.whole, text_of(small));
    }
    if (row)
        say_pattern(to, l, row->text[l], &m, depth);
    return row;
}

static void say_at(struct grow *to, enum language l, struct text english, unsigned depth)
{
    struct text of_doctor;

    if (depth < DEPTH_MAX && (say_found(to, l, english, depth) || say_sides(to, l, english, depth)))
        return;
    of_doctor = of_the_doctor(english, l);
    if (of_doctor.at != english.at || depth >= DEPTH_MAX || !say_as_doctor(to, l, english, depth))
        grow_text(to, of_doctor);
}

void words_say(struct grow *to, enum language l, struct text english)
{
    if (l == LANGUAGE_EN)
        grow_text(to, english);
    else
        say_at(to, l, english, 0);
}

/* --- a whole answer --- */

/* Members that hold sentences of ours; names and what people wrote are in others. */
static const char *const members[] = {"about",  "answer",  "detail",  "error", "finding",
                                      "help",   "meaning", "outcome", "range", "result",
                                      "notes",  "reason",  "text",    "todo",  "refused_for",
                                      "screen", "stage",   "title",   "unit",  "last_absence"};

static bool holds_sentence(const char *key)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (!strcmp(key, members[i]))
            return true;
    return false;
}

static json_t *said(const json_t *value, enum language l, bool sentence);

static json_t *said_string(const json_t *value, enum language l)
{
    struct grow text = {0};
    json_t *made;

    words_say(&text, l, (struct text){json_string_value(value), json_string_length(value)});
    made = text.bad ? NULL : json_stringn(text.at ? text.at : "", text.len);
    grow_done(&text);
    return made;
}

static json_t *said_object(json_t *value, enum language l)
{
    json_t *made = json_object(), *member;
    const char *key;

    json_object_foreach(value, key, member)
        json_object_set_new(made, key, said(member, l, holds_sentence(key)));
    return made;
}

static json_t *said_array(const json_t *value, enum language l, bool sentence)
{
    json_t *made = json_array(), *item;
    size_t i;

    json_array_foreach(value, i, item) json_array_append_new(made, said(item, l, sentence));
    return made;
}

static json_t *said(const json_t *value, enum language l, bool sentence)
{
    if (json_is_object(value))
        return said_object((json_t *)(uintptr_t)value, l);
    if (json_is_array(value))
        return said_array(value, l, sentence);
    return json_is_string(value) && sentence ? said_string(value, l)
                                             : json_incref((json_t *)(uintptr_t)value);
}

json_t *words_said(const json_t *answer, enum language l)
{
    return said(answer, l, false);
}
