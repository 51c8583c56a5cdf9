#include <stdio.h>
#include <time.h>

#include "base/unicode.h"
#include "doctor/report/parts.h"

const char *clock_words(int64_t ns, char to[static CLOCK_MAX])
{
    time_t s = (time_t)(ns / 1000000000);
    struct tm tm;

    gmtime_r(&s, &tm);
    snprintf(to, CLOCK_MAX, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(ns / 1000000 % 1000));
    return to;
}

const char *report_file(const struct report_view *v, const struct evidence *e)
{
    const char *slash;

    if (v->pair || v->n_names < 2 || e->file >= v->n_names)
        return "";
    slash = strrchr(v->names[e->file], '/');
    return slash ? slash + 1 : v->names[e->file];
}

void report_pad(const char *words, size_t columns, struct grow *to)
{
    size_t width = text_columns(text_of(words));

    grow_string(to, words);
    if (width < columns)
        grow_fill(to, ' ', columns - width);
}

/* Chinese does not begin a line with these. */
static bool is_closing(uint32_t c)
{
    static const uint32_t all[] = {0x3001, 0x3002, 0x300d, 0x300b, 0xff01, 0xff09,
                                   0xff0c, 0xff1a, 0xff1b, 0xff1f, 0x201d};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (c == all[i])
            return true;
    return false;
}

/* The next piece that is not broken: a word, or a wide character with what must stand behind it. */
static struct text next_piece(struct text *rest)
{
    struct text piece = {rest->at, 0};
    bool wide = false;

    while (rest->len && rest->at[0] != ' ') {
        struct text after = *rest;
        uint32_t c = unicode_next(&after);

        if (piece.len && !is_closing(c) && (wide || unicode_width(c) == 2))
            break;
        wide = unicode_width(c) == 2;
        piece.len += rest->len - after.len;
        *rest = after;
    }
    return piece;
}

void report_wrap(const struct report_view *v, const char *words, unsigned indent, unsigned hang,
                 struct grow *to)
{
    struct text rest = text_of(words);
    size_t at = indent;

    grow_fill(to, ' ', indent);
    while (rest.len) {
        size_t blanks = 0, width;
        struct text piece;

        for (; rest.len && rest.at[0] == ' '; rest = text_skip(rest, 1))
            blanks++;
        piece = next_piece(&rest);
        width = text_columns(piece);
        if (v->width > hang && at > hang && at + blanks + width > v->width) {
            grow_string(to, "\n");
            grow_fill(to, ' ', hang);
            at = hang;
            blanks = 0;
        }
        grow_fill(to, ' ', blanks);
        grow_text(to, piece);
        at += blanks + width;
    }
    grow_string(to, "\n");
}
