#include "provision/loads.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const endings[] = {".loads", ".sbn", ".sb2", ".bin", ".sbin", ".zup", ".sgn", ".jar"};

/* Parts that phones of a family ask for whatever the .loads file says. */
static const struct {
    const char *family;
    const char *endings; /* appended to the load's name */
} rules[] = {
    {"P003", ".sb2 .sbn .bin"},
    {"P0S3-", ".sb2"},
};

static const struct {
    const char *family, *from; /* `from`: versions below this one need no advice; "" all */
    const char *advice;
} advices[] = {
    {"SCCP11. SCCP31. SCCP41. SCCP42. SCCP45. SCCP70. SCCP75.", "8-5-2",
     "Phones with a load below 8.3(3) must get 8.5(2) first, or they try for ever."},
    {"SIP11. SIP31. SIP41. SIP42. SIP45. SIP70. SIP75.", "8-5-2",
     "Phones with a load below 8.3(3) must get 8.5(2) first, or they try for ever."},
    {"P0S3-", "", "From SIP 2 to 4 the way leads over 4.4, 5.3 and 6 to 7; from 5 on there is no way back to unsigned loads."},
    {"CP79", "", "Signed loads (1.1 and later) cannot be replaced by unsigned ones."},
};

static bool ends_nocase(struct text t, const char *end)
{
    size_t n = strlen(end);

    return t.len > n && text_equal_nocase((struct text){t.at + t.len - n, n}, (struct text){end, n});
}

bool load_is_firmware(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (ends_nocase(text_of(name), endings[i]))
            return true;
    }
    return text_equal_nocase(text_of(name), TEXT("OS79XX.TXT"));
}

/* Longest word of the list that the name begins with; 0 when none does. */
static size_t family_length(const char *families, struct text name)
{
    struct text rest = text_of(families);
    size_t best = 0;

    while (rest.at) {
        struct text word = text_split(&rest, ' ');

        if (word.len > best && word.len <= name.len &&
            text_equal_nocase(word, (struct text){name.at, word.len}))
            best = word.len;
    }
    return best;
}

bool load_fits(const char *load, const struct model *m, enum device_protocol *protocol)
{
    struct text name = text_of(load);
    size_t lengths[2] = {family_length(m->family[PROTOCOL_SCCP], name),
                         family_length(m->family[PROTOCOL_SIP], name)};
    bool loader = *m->loader && text_starts_nocase(text_of(m->loader), load) &&
                  strcasecmp(m->loader + strlen(load), ".loads") == 0;

    if (!lengths[0] && !lengths[1] && !loader)
        return false;
    if (protocol)
        *protocol = lengths[PROTOCOL_SIP] > lengths[PROTOCOL_SCCP] ||
                            (lengths[PROTOCOL_SIP] && text_contains_nocase(name, TEXT("SIP")))
                        ? PROTOCOL_SIP
                        : PROTOCOL_SCCP;
    return true;
}

size_t load_models(const char *load, char *to, size_t size)
{
    size_t n = 0;

    to[0] = '\0';
    for (size_t i = 0; i < n_models; i++) {
        size_t need = strlen(models[i].name) + 2;

        if (!load_fits(load, &models[i], NULL))
            continue;
        if (n + need >= size)
            break;
        n += (size_t)snprintf(to + n, size - n, "%s%s", n ? ", " : "", models[i].name);
    }
    return n;
}

static bool fits_anything(const char *load)
{
    for (size_t i = 0; i < n_models; i++) {
        if (load_fits(load, &models[i], NULL))
            return true;
    }
    return false;
}

/* A .loads file is a load; so is the single file of a family whose phones take one. */
bool load_name_of(const char *file, char to[static LOAD_NAME_MAX + 1])
{
    static const char *const single[] = {".loads", ".bin", ".sbin", ".zup"};
    struct text name = text_of(file);

    if (name.len > LOAD_NAME_MAX || strchr(file, '/'))
        return false;
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        if (!ends_nocase(name, single[i]))
            continue;
        name.len -= strlen(single[i]);
        text_copy(to, LOAD_NAME_MAX + 1, name);
        return i == 0 || fits_anything(to);
    }
    return false;
}

static void add_part(struct load_info *l, struct text name)
{
    if (name.len > LOAD_NAME_MAX || l->n_parts == LOAD_PARTS_MAX)
        return;
    for (size_t i = 0; i < l->n_parts; i++) {
        if (text_equal_nocase(text_of(l->parts[i].name), name))
            return;
    }
    text_copy(l->parts[l->n_parts++].name, LOAD_NAME_MAX + 1, name);
}

static bool is_name_character(uint8_t c)
{
    return isalnum(c) || c == '.' || c == '-' || c == '_';
}

/* A run of name characters may hold a length octet that looks like one in front: a part's name ends in a
 * known ending, and begins with a letter. */
static void take_run(struct load_info *l, struct text run)
{
    while (run.len && !isalpha((unsigned char)*run.at))
        run = text_skip(run, 1);
    if (run.len < 6 || text_equal_nocase(run, text_of(l->file)))
        return;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (ends_nocase(run, endings[i])) {
            add_part(l, run);
            return;
        }
    }
}

static void read_names(struct load_info *l, const uint8_t *bytes, size_t len)
{
    size_t start = 0;

    for (size_t i = 0; i <= len; i++) {
        if (i < len && is_name_character(bytes[i]))
            continue;
        if (i > start)
            take_run(l, (struct text){(const char *)bytes + start, i - start});
        start = i + 1;
    }
}

static void add_by_rule(struct load_info *l)
{
    char name[LOAD_NAME_MAX + 16];

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct text rest = text_of(rules[i].endings);

        if (!text_starts_nocase(text_of(l->name), rules[i].family))
            continue;
        while (rest.at) {
            struct text ending = text_split(&rest, ' ');

            snprintf(name, sizeof(name), "%s%.*s", l->name, TEXT_ARG(ending));
            add_part(l, text_of(name));
        }
        return; /* of the first family that fits: the others are longer roads to the same */
    }
}

void load_read(const char *file, const uint8_t *bytes, size_t len, struct load_info *ret)
{
    *ret = (struct load_info){.n_parts = 0};
    text_copy(ret->file, sizeof(ret->file), text_of(file));
    if (!load_name_of(file, ret->name))
        text_copy(ret->name, sizeof(ret->name), text_of(file));
    add_part(ret, text_of(file));
    if (!ends_nocase(text_of(file), ".loads"))
        return;
    read_names(ret, bytes, len);
    add_by_rule(ret);
}

void load_look(struct load_info *l, bool (*find)(void *context, const char *name, uint64_t *size), void *context)
{
    l->n_missing = 0;
    for (size_t i = 0; i < l->n_parts; i++) {
        struct load_part *p = &l->parts[i];

        p->size = 0;
        p->present = find(context, p->name, &p->size);
        l->n_missing += !p->present;
    }
}

/* Numbers of two versions one by one: "9-4-2SR3" is not below "8-5-2". */
static bool version_below(const char *a, const char *b)
{
    while (*a && *b) {
        unsigned long x, y;
        char *end_a, *end_b;

        x = strtoul(a, &end_a, 10);
        y = strtoul(b, &end_b, 10);
        if (end_a == a || end_b == b)
            return false;
        if (x != y)
            return x < y;
        a = *end_a ? end_a + 1 : end_a;
        b = *end_b ? end_b + 1 : end_b;
    }
    return !*a && *b;
}

const char *load_advice(const char *load)
{
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
        size_t n = family_length(advices[i].family, text_of(load));

        if (n && !(*advices[i].from && version_below(load + n, advices[i].from)))
            return advices[i].advice;
    }
    return NULL;
}
