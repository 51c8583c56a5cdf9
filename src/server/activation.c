/* activation.c - a phone in quarantine takes the place that was prepared for it. */
#include "server/activation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/models.h"

/* Why the device cannot have the place; 0: it can. */
static int refused(const struct phone *place, const struct phone *guest, uint32_t model,
                   enum device_protocol protocol, const char *today, char *error, size_t size)
{
    const struct model *m;

    if (!guest || !guest->quarantine) {
        snprintf(error, size, "the phone is not in quarantine");
        return -EPERM;
    }
    if (!place) {
        snprintf(error, size, "no phone has this activation code");
        return -ENOENT;
    }
    m = model_find((uint32_t)place->model);
    if (*place->activation_until && strcmp(place->activation_until, today) < 0) {
        snprintf(error, size, "the activation code of %s was good until %s", place->name,
                 place->activation_until);
        return -ETIME;
    }
    if ((uint32_t)place->model != model || place->protocol != protocol) {
        snprintf(error, size, "%s is for a %s that speaks %s", place->name,
                 m ? m->title : "model without a name",
                 names_print(device_protocols, place->protocol));
        return -ENOTSUP;
    }
    return 0;
}

/* The number that auto-registration gave it goes back to the range. */
static void free_lines(struct change *c, const struct directory *dir, const struct phone *guest)
{
    for (size_t i = 0; i < guest->n_buttons; i++) {
        const struct phone_button *b = &guest->buttons[i];

        if (b->feature == BUTTON_LINE && *b->target && guest->auto_registered &&
            directory_line_user(dir, text_of(b->target), "") == guest &&
            !directory_line_user(dir, text_of(b->target), guest->name))
            change_delete(c, ENTITY_line, text_of(b->target));
    }
}

int activation_change(const struct directory *dir, struct text code, struct device_name device,
                      uint32_t model, enum device_protocol protocol, const char *today,
                      struct change **ret, char *error, size_t size)
{
    const struct phone *place = directory_activation(dir, code);
    const struct phone *guest = directory_phone(dir, text_of(device.s));
    int err = refused(place, guest, model, protocol, today, error, size);
    struct change *c;

    if (err)
        return err;
    if (!(c = change_new())) {
        snprintf(error, size, "there is not enough memory");
        return -ENOMEM;
    }
    if (place != guest) {
        change_delete(c, ENTITY_phone, text_of(guest->name));
        free_lines(c, dir, guest);
    }
    change_set(c, ENTITY_phone, text_of(place->name));
    change_field(c, TEXT("name"), text_of(device.s));
    change_field(c, TEXT("activation_code"), TEXT(""));
    change_field(c, TEXT("activation_until"), TEXT(""));
    change_field(c, TEXT("quarantine"), TEXT("false"));
    *ret = c;
    return 0;
}

int activation_code_make(const struct directory *dir, char to[static ACTIVATION_CODE_DIGITS + 1])
{
    uint64_t number;

    do {
        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
            return -EIO;
        for (int i = ACTIVATION_CODE_DIGITS - 1; i >= 0; i--, number /= 10)
            to[i] = (char)('0' + number % 10);
        to[ACTIVATION_CODE_DIGITS] = '\0';
    } while (directory_activation(dir, text_of(to)));
    return 0;
}
