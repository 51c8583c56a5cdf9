#include "doctor/say.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/unicode.h"

/* What a kept sentence is made of. */
enum mark {
    MARK_ROW = 0x01,  /* two characters: number of the row */
    MARK_SPAN = 0x11, /* nanoseconds */
    MARK_WORDS = 0x12,
    MARK_ALSO = 0x1d, /* between sentences of a list */
    MARK_NEXT = 0x1e, /* before each argument */
    MARK_END = 0x1f   /* of a span or of words */
};

#define ARGUMENTS_MAX 8
#define ELLIPSIS      "…"
#define DIGIT         0x40 /* number of a row: two digits of base 64, from this character on */

static const struct sentence rows[] = {
#define SENTENCE(en, fr, zh) {{en, fr, zh}},
#include "doctor/words/sentences.def"
#undef SENTENCE
};

#define N_ROWS (sizeof(rows) / sizeof(*rows))

const struct sentence *sentence_row(size_t i)
{
    return i < N_ROWS ? &rows[i] : NULL;
}

static int by_english(const void *key, const void *row)
{
    return strcmp(key, ((const struct sentence *)row)->text[LANGUAGE_EN]);
}

const struct sentence *sentence_find(const char *english)
{
    return bsearch(english, rows, N_ROWS, sizeof(*rows), by_english);
}

const char *say_row(const char *english, enum language l)
{
    const struct sentence *row = sentence_find(english);

    return row ? row->text[l] : english;
}

/* -- conversions of a format -- */

struct conversion {
    unsigned place; /* "%2$s": 2; 0: the next argument */
    int precision;  /* -1: none, -2: an argument */
    unsigned longs; /* 'l's; 'z' counts as one */
    char type;      /* 's', 'u', 'd', '%'; 0: malformed */
};

/* Behind the '%'; the place behind it. */
static const char *read_conversion(const char *at, struct conversion *c)
{
    char *end;
    unsigned long n = strtoul(at, &end, 10);

    *c = (struct conversion){.precision = -1};
    if (end != at && *end == '$') {
        c->place = (unsigned)n;
        at = end + 1;
    }
    if (*at == '.' && at[1] == '*') {
        c->precision = -2;
        at += 2;
    } else if (*at == '.') {
        c->precision = (int)strtoul(at + 1, &end, 10);
        at = end;
    }
    for (; *at == 'l' || *at == 'z'; at++)
        c->longs++;
    c->type = *at;
    return *at ? at + 1 : at;
}

/* -- keeping -- */

/* Length of what stays of a text that is longer than `room`: whole words, if they are not too long.
 */
static size_t cut_at(struct text t, size_t room)
{
    size_t whole = text_utf8_cut(t, room), n = whole;

    while (n > whole / 2 && t.at[n] != ' ')
        n--;
    n = n > whole / 2 ? n : whole;
    while (n && strchr(" ,;:", t.at[n - 1]))
        n--;
    return n;
}

static void write_cut(struct writer *w, struct text t)
{
    size_t room = (size_t)(w->end - w->at);
    bool fits = t.len <= room || room <= sizeof(ELLIPSIS);

    t.len = !fits ? cut_at(t, room - (sizeof(ELLIPSIS) - 1)) : t.len < room ? t.len : room;
    write_text(w, t);
    if (!fits)
        write_string(w, ELLIPSIS);
}

void keep_cut(char *to, size_t size, struct text t)
{
    struct writer w = writer_of(to, size - 1);

    write_cut(&w, t);
    to[writer_len(&w)] = '\0';
}

static void keep_text(struct writer *w, const char *s, int precision)
{
    size_t n = !s ? 0 : precision < 0 ? strlen(s) : strnlen(s, (size_t)precision);
    uint8_t *kept = w->at;

    if (!n)
        return; /* of an empty text that is nowhere, too */
    write_cut(w, (struct text){s, n});
    if (*s == MARK_SPAN || *s == MARK_WORDS)
        return;
    for (; kept < w->at; kept++)
        if (*kept < 0x20 || *kept == 0x7f)
            *kept = '?';
}

/* `va_list` is an array on some machines: a pointer to it is the same everywhere. */
struct arguments {
    va_list list;
};

static void keep_argument(struct writer *w, const struct conversion *c, struct arguments *a)
{
    int precision = c->precision == -2 ? va_arg(a->list, int) : c->precision;

    if (c->type == 's')
        keep_text(w, va_arg(a->list, const char *), precision);
    else if (c->type == 'd')
        write_format(w, "%d", va_arg(a->list, int));
    else
        write_format(w, "%llu",
                     c->longs > 1 ? va_arg(a->list, unsigned long long)
                     : c->longs   ? va_arg(a->list, unsigned long)
                                  : va_arg(a->list, unsigned));
}

static void keep_format(struct writer *w, const char *format, struct arguments *a)
{
    const struct sentence *row = sentence_find(format);
    struct conversion c;

    if (row) {
        unsigned n = (unsigned)(row - rows);

        write_u8(w, MARK_ROW);
        write_u8(w, (uint8_t)(DIGIT + n / 64));
        write_u8(w, (uint8_t)(DIGIT + n % 64));
    }
    while (*format) {
        if (*format != '%') {
            if (!row)
                write_u8(w, (uint8_t)*format);
            format++;
            continue;
        }
        format = read_conversion(format + 1, &c);
        if (c.type == '%') {
            if (!row)
                write_u8(w, '%');
            continue;
        }
        if (row)
            write_u8(w, MARK_NEXT);
        keep_argument(w, &c, a);
    }
}

/* The writer stops before what does not fit whole, but may be in the middle of a character. */
static void end_text(struct writer *w, char *to)
{
    size_t n = writer_len(w);

    to[text_utf8_cut((struct text){to, n}, n)] = '\0';
}

void keep_words_of(char *to, size_t size, const char *format, va_list args)
{
    struct writer w = writer_of(to, size - 1);
    struct arguments a;

    va_copy(a.list, args);
    keep_format(&w, format, &a);
    va_end(a.list);
    end_text(&w, to);
}

void keep_words(char *to, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep_words_of(to, size, format, args);
    va_end(args);
}

void keep_also(char *to, size_t size, const char *format, ...)
{
    size_t len = strlen(to);
    va_list args;

    if (len && len + 2 < size)
        to[len++] = MARK_ALSO;
    va_start(args, format);
    keep_words_of(to + len, size - len, format, args);
    va_end(args);
}

const char *seconds(int64_t ns, char to[static 24])
{
    snprintf(to, 24, "\x11%lld\x1f", (long long)ns);
    return to;
}

/* -- saying -- */

static const char *const units[N_LANGUAGES][4] = {
    {"ms", "s", "min", "h"},
    {"ms", "s", "min", "h"},
    {"毫秒", "秒", "分钟", "小时"},
};

static void say_span(struct writer *w, int64_t ns, enum language l)
{
    double s = (double)ns / 1e9;
    char number[24], *point;
    unsigned unit = s < 0.0995 ? 0 : s < 120 ? 1 : s < 7200 ? 2 : 3;
    double value = unit == 0 ? s * 1e3 : unit == 1 ? s : unit == 2 ? s / 60 : s / 3600;

    snprintf(number, sizeof(number), "%.*f", unit == 0 || s < 10 || unit == 3 ? 1 : 0, value);
    if (l == LANGUAGE_FR && (point = strchr(number, '.')))
        *point = ',';
    write_format(w, l == LANGUAGE_FR ? "%s\u00a0%s" : "%s %s", number, units[l][unit]);
}

/* The text between marks, cleaned of what could make a peer's name lie on a terminal. */
static void say_plain(struct writer *w, struct text t)
{
    while (t.len) {
        struct text before = t;
        uint32_t c = unicode_next(&t);

        if (unicode_is_harmful(c))
            write_u8(w, '?');
        else
            write_text(w, (struct text){before.at, before.len - t.len});
    }
}

static void say_marked(struct writer *w, struct text t, enum language l)
{
    char words[SAY_MAX];
    uint64_t ns = 0;

    if (t.at[0] == MARK_SPAN) {
        text_to_u64(text_skip(t, 1), 10, &ns);
        say_span(w, (int64_t)ns, l);
        return;
    }
    text_copy(words, sizeof(words), text_skip(t, 1));
    say_plain(w, text_of(say_row(words, l)));
}

/* An argument, or a sentence of no row: plain text with marked pieces in it. */
static void say_text(struct writer *w, struct text t, enum language l)
{
    size_t n;

    for (; t.len; t = text_skip(t, n)) {
        bool marked = t.at[0] == MARK_SPAN || t.at[0] == MARK_WORDS;

        for (n = 1; n < t.len; n++)
            if (marked ? t.at[n] == MARK_END : t.at[n] == MARK_SPAN || t.at[n] == MARK_WORDS)
                break;
        if (marked) {
            say_marked(w, (struct text){t.at, n}, l);
            n += n < t.len; /* the end mark */
        } else {
            say_plain(w, (struct text){t.at, n});
        }
    }
}

/* "[one|many]": French says one of nothing, too. At the '['; behind the ']'. */
static const char *say_one_of(struct writer *w, const char *at, uint64_t number, enum language l)
{
    bool one = number == 1 || (l == LANGUAGE_FR && number == 0);
    size_t first = strcspn(at + 1, "|]"), second;
    const char *other = at + 1 + first + (at[1 + first] == '|');

    second = strcspn(other, "]");
    write_text(w, one ? (struct text){at + 1, first} : (struct text){other, second});
    return other + second + (other[second] == ']');
}

static void say_format(struct writer *w, const char *format, const struct text *args,
                       enum language l)
{
    unsigned next = 0;
    uint64_t number = 2;
    struct conversion c;

    while (*format) {
        unsigned place;

        if (*format == '[') {
            format = say_one_of(w, format, number, l);
            continue;
        }
        if (*format != '%') {
            write_u8(w, (uint8_t)*format++);
            continue;
        }
        format = read_conversion(format + 1, &c);
        if (c.type == '%') {
            write_u8(w, '%');
            continue;
        }
        place = c.place ? c.place - 1 : next++;
        if (place >= ARGUMENTS_MAX)
            continue;
        say_text(w, args[place], l);
        if (c.type == 'u')
            text_to_u64(args[place], 10, &number);
    }
}

static void say_sentence(struct writer *w, struct text t, enum language l)
{
    struct text args[ARGUMENTS_MAX] = {{0}}, rest;
    unsigned n = 0;
    size_t row;

    if (t.len < 3 || t.at[0] != MARK_ROW) {
        say_text(w, t, l);
        return;
    }
    row = (size_t)(t.at[1] - DIGIT) * 64 + (size_t)(t.at[2] - DIGIT);
    rest = text_skip(t, t.len > 3 ? 4 : 3);
    while (t.len > 3 && rest.at && n < ARGUMENTS_MAX)
        args[n++] = text_split(&rest, MARK_NEXT);
    if (row < N_ROWS)
        say_format(w, rows[row].text[l], args, l);
}

const char *say(const char *kept, enum language l, char to[static SAY_MAX])
{
    struct writer w = writer_of(to, SAY_MAX - 1);
    struct text rest = text_of(kept);
    const char *between = "";

    while (rest.at) {
        write_string(&w, between);
        say_sentence(&w, text_split(&rest, MARK_ALSO), l);
        between = l == LANGUAGE_ZH ? "，" : ", ";
    }
    end_text(&w, to);
    return to;
}

void say_now(struct grow *to, enum language l, const char *format, ...)
{
    char kept[SAY_MAX], said[SAY_MAX];
    va_list args;

    va_start(args, format);
    keep_words_of(kept, sizeof(kept), format, args);
    va_end(args);
    grow_string(to, say(kept, l, said));
}
