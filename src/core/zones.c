#include "core/zones.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"

#define HEADER_SIZE 44
#define DAY         86400

/* --- POSIX rules: the last line of the file says what holds after its last transition
 * ------------- */

struct rule_date {
    char kind; /* 'M', 'J' or '0' */
    int month, week, day;
    int32_t seconds; /* after midnight, local */
};

static bool read_number(const char **at, int *ret)
{
    int n = 0;

    if (!isdigit((unsigned char)**at))
        return false;
    while (isdigit((unsigned char)**at) && n < 100000)
        n = n * 10 + (*(*at)++ - '0');
    *ret = n;
    return true;
}

static bool read_name(const char **at)
{
    const char *start = *at;

    if (**at == '<') {
        while (**at && **at != '>')
            (*at)++;
        return *(*at)++ == '>';
    }
    while (isalpha((unsigned char)**at))
        (*at)++;
    return *at - start >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool read_clock(const char **at, int32_t *ret)
{
    int sign = **at == '-' ? -1 : 1, h, m = 0, s = 0;

    if (**at == '-' || **at == '+')
        (*at)++;
    if (!read_number(at, &h))
        return false;
    if (**at == ':' && ((*at)++, !read_number(at, &m)))
        return false;
    if (**at == ':' && ((*at)++, !read_number(at, &s)))
        return false;
    *ret = sign * (h * 3600 + m * 60 + s);
    return true;
}

static bool read_date(const char **at, struct rule_date *d)
{
    *d = (struct rule_date){.kind = '0', .seconds = 2 * 3600};
    if (**at == 'M' || **at == 'J')
        d->kind = *(*at)++;
    if (d->kind == 'M') {
        if (!read_number(at, &d->month) || *(*at)++ != '.' || !read_number(at, &d->week) ||
            *(*at)++ != '.' || !read_number(at, &d->day))
            return false;
        if (d->month < 1 || d->month > 12 || d->week < 1 || d->week > 5 || d->day > 6)
            return false;
    } else if (!read_number(at, &d->day)) {
        return false;
    }
    if (**at == '/')
        return (*at)++, read_clock(at, &d->seconds);
    return true;
}

static bool is_leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int64_t days_before_year(int64_t y) /* since 1970 */
{
    y--;
    return 365 * (y - 1969) + (y / 4 - 492) - (y / 100 - 19) + (y / 400 - 4);
}

static int64_t year_of(int64_t utc)
{
    int64_t y = 1970 + utc / (365 * DAY + DAY / 4);

    while (days_before_year(y + 1) * DAY <= utc)
        y++;
    while (days_before_year(y) * DAY > utc)
        y--;
    return y;
}

static int month_days(int64_t year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Day since 1970 on which the rule falls in a year. */
static int64_t rule_day(const struct rule_date *d, int64_t year)
{
    int64_t day = days_before_year(year);
    int in_month, first;

    if (d->kind == 'J')
        return day + d->day - 1 + (is_leap(year) && d->day >= 60);
    if (d->kind == '0')
        return day + d->day;
    for (int m = 1; m < d->month; m++)
        day += month_days(year, m);
    first = (int)((day + 4) % 7); /* 1 January 1970 was a Thursday */
    in_month = (d->day - first + 7) % 7 + (d->week - 1) * 7;
    while (in_month >= month_days(year, d->month))
        in_month -= 7;
    return day + in_month;
}

bool zone_offset_of_rule(const char *rule, int64_t utc, int32_t *ret)
{
    int32_t standard, summer;
    struct rule_date from, to;
    int64_t year, begins, ends;

    if (!read_name(&rule) || !read_clock(&rule, &standard))
        return false;
    standard = -standard; /* POSIX counts west of UTC */
    *ret = standard;
    if (!*rule)
        return true;
    summer = standard + 3600;
    if (!read_name(&rule))
        return false;
    if (*rule != ',') {
        if (!read_clock(&rule, &summer))
            return false;
        summer = -summer;
    }
    if (*rule++ != ',' || !read_date(&rule, &from) || *rule++ != ',' || !read_date(&rule, &to) ||
        *rule)
        return false;
    year = year_of(utc + standard);
    begins = rule_day(&from, year) * DAY + from.seconds - standard;
    ends = rule_day(&to, year) * DAY + to.seconds - summer;
    if (begins < ends ? utc >= begins && utc < ends : utc >= begins || utc < ends)
        *ret = summer;
    return true;
}

/* --- the file
 * ------------------------------------------------------------------------------------- */

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static bool read_header(struct reader *r, uint8_t *version, struct counts *c)
{
    struct text magic = read_text(r, 4);

    if (r->bad || !text_is(magic, "TZif"))
        return false;
    *version = read_u8(r);
    read_bytes(r, 15);
    c->isut = read_be32(r);
    c->isstd = read_be32(r);
    c->leap = read_be32(r);
    c->time = read_be32(r);
    c->type = read_be32(r);
    c->chars = read_be32(r);
    return !r->bad && c->type && c->time < 10000 && c->type < 256 && c->chars < 10000 &&
           c->leap < 1000;
}

static int64_t read_time(struct reader *r, size_t size)
{
    uint64_t high;

    if (size == 4)
        return (int32_t)read_be32(r);
    high = read_be32(r);
    return (int64_t)(high << 32 | read_be32(r));
}

static bool skip_block(struct reader *r, const struct counts *c, size_t size)
{
    read_bytes(r, c->time * (size + 1) + c->type * 6 + c->chars + c->leap * (size + 4) + c->isstd +
                      c->isut);
    return !r->bad;
}

/* The type in force at `utc`; *after when that is behind the last transition. */
static bool find_type(struct reader r, const struct counts *c, size_t size, int64_t utc,
                      int32_t *offset, bool *after)
{
    struct reader types = r, rows = r;
    uint8_t type = 0;
    uint32_t n = 0;

    read_bytes(&types, c->time * size);
    read_bytes(&rows, c->time * (size + 1));
    while (n < c->time && read_time(&r, size) <= utc) {
        type = read_u8(&types);
        n++;
    }
    *after = n == c->time;
    if (type >= c->type)
        return false;
    read_bytes(&rows, type * 6u);
    *offset = (int32_t)read_be32(&rows);
    return !rows.bad && !types.bad && !r.bad;
}

static bool footer_offset(struct reader *r, int64_t utc, int32_t *ret)
{
    char rule[80];
    struct text rest = {(const char *)r->at, reader_left(r)};

    if (!rest.len || rest.at[0] != '\n')
        return false;
    rest = text_skip(rest, 1);
    text_copy(rule, sizeof(rule), text_split(&rest, '\n'));
    return rest.at && rule[0] && zone_offset_of_rule(rule, utc, ret);
}

bool zone_offset(const uint8_t *tzif, size_t len, int64_t utc, int32_t *ret)
{
    struct reader r = reader_of(tzif, len);
    struct counts c;
    uint8_t version;
    size_t size = 4;
    bool after;

    if (!read_header(&r, &version, &c))
        return false;
    if (version >= '2') { /* the first block is for old readers */
        size = 8;
        if (!skip_block(&r, &c, 4) || !read_header(&r, &version, &c))
            return false;
    }
    if (!find_type(r, &c, size, utc, ret, &after))
        return false;
    if (after && size == 8 && skip_block(&r, &c, size))
        footer_offset(&r, utc, ret);
    return true;
}
