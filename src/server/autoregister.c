/* autoregister.c - range, next number, pool and template of a phone that nobody added. */
#include "server/autoregister.h"

#include <errno.h>
#include <stdio.h>

#include "core/models.h"

static const struct autoregistration *open_range(const struct directory *dir, struct text node_name)
{
    const struct autoregistration *r = directory_find(dir, ENTITY_autoregistration, node_name),
                                  *next = NULL;

    if (r)
        return r->enabled ? r : NULL;
    while ((next = directory_next(dir, ENTITY_autoregistration, text_of(next ? next->name : "")))) {
        if (next->enabled)
            return next;
    }
    return NULL;
}

static void print_key(const struct autoregistration *r, int32_t number, char *to, size_t size)
{
    snprintf(to, size, "%d%s%s", number, *r->partition ? "/" : "", r->partition);
}

/* From `next` to the end, then from the start: the first number that no line has. Among one number
 * more than there are lines one must be free, so the search ends early. */
static int32_t free_number(const struct directory *dir, const struct autoregistration *r)
{
    int64_t size = (int64_t)r->end - r->start + 1;
    int64_t tries = (int64_t)directory_count(dir, ENTITY_line) + 1;
    int32_t number = r->next;
    char key[80];

    for (int64_t i = 0; i < size && i < tries; i++) {
        print_key(r, number, key, sizeof(key));
        if (!directory_find(dir, ENTITY_line, text_of(key)))
            return number;
        number = number == r->end ? r->start : number + 1;
    }
    return -1;
}

static void set(struct change *c, const char *field, const char *value)
{
    change_field(c, text_of(field), text_of(value));
}

/* The template of the range when it fits the model, else that of the device defaults. */
static const char *template_for(const struct directory *dir, const struct autoregistration *r,
                                const struct defaults *d, uint32_t model)
{
    const struct template *t = directory_find(dir, ENTITY_template, text_of(r->template));

    if (t && (!t->model || (uint32_t)t->model == model))
        return t->name;
    return d ? d->template : "";
}

static const char *pool_for(const struct autoregistration *r, const struct defaults *d)
{
    if (r->quarantine)
        return r->quarantine_pool;
    return *r->pool ? r->pool : d ? d->pool : "Default";
}

static void add_phone(struct change *c, const struct directory *dir,
                      const struct autoregistration *r, const struct model *m,
                      struct device_name device, enum device_protocol protocol, int32_t number)
{
    const struct defaults *d;
    const struct device_pool *pool;
    char text[80];

    snprintf(text, sizeof(text), "%s/%s", m->name, names_print(device_protocols, protocol));
    d = directory_find(dir, ENTITY_defaults, text_of(text));
    pool = directory_find(dir, ENTITY_device_pool, text_of(pool_for(r, d)));
    change_add(c, ENTITY_phone, text_of(device.s));
    set(c, "model", m->name);
    set(c, "protocol", names_print(device_protocols, protocol));
    snprintf(text, sizeof(text), "Auto %d", number);
    set(c, "description", text);
    set(c, "pool", pool_for(r, d));
    set(c, "template", template_for(dir, r, d, m->type));
    set(c, "css", pool ? pool->css : "");
    set(c, "auto_registered", "true");
    set(c, "quarantine", r->quarantine ? "true" : "false");
    change_list(c, TEXT("buttons"));
    change_item(c);
    set(c, "feature", "line");
    print_key(r, number, text, sizeof(text));
    set(c, "target", text);
    set(c, "mask", r->mask);
}

int autoregister_change(const struct directory *dir, struct text node_name,
                        struct device_name device, uint32_t model, enum device_protocol protocol,
                        struct change **ret, char *error, size_t size)
{
    const struct autoregistration *r = open_range(dir, node_name);
    const struct model *m = model_find(model);
    char next[16];
    int32_t number;

    if (directory_phone(dir, text_of(device.s))) {
        snprintf(error, size, "%s is there already", device.s);
        return -EEXIST;
    }
    if (!r) {
        snprintf(error, size, "auto-registration is off");
        return -EPERM;
    }
    if (!m) {
        snprintf(error, size, "device type %u is not known", model);
        return -ENOENT;
    }
    if (!model_speaks(m, protocol)) {
        snprintf(error, size, "a %s does not speak %s", m->title, names_print(device_protocols, protocol));
        return -EPROTONOSUPPORT;
    }
    if ((number = free_number(dir, r)) < 0) {
        snprintf(error, size, "every number from %d to %d is used", r->start, r->end);
        return -ERANGE;
    }
    if (!(*ret = change_new())) {
        snprintf(error, size, "there is not enough memory");
        return -ENOMEM;
    }
    add_phone(*ret, dir, r, m, device, protocol, number);
    change_set(*ret, ENTITY_autoregistration, text_of(r->name));
    snprintf(next, sizeof(next), "%d", number == r->end ? r->start : number + 1);
    set(*ret, "next", next);
    return 0;
}
