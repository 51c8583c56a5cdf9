/* sniffer.h - writes what passes an interface of a namespace to a capture file; and what such a file holds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sniffer;

/* Both directions of `interface`, from now on, with the kernel's times, in a thread of its own. 0 or -errno. */
int sniffer_open(const char *ns, const char *interface, const char *path, struct sniffer **ret);
/* From now on it loses every `n`th frame (0: none), and all that the interface sends when `deaf`. */
void sniffer_spoil(struct sniffer *s, unsigned n, bool deaf);
void sniffer_close(struct sniffer *s); /* what has come so far is in the file; NULL is fine */

/* What is seen in a capture; a row each of sightings.def. */
enum sighting {
#define SIGHTING(id, words) SEEN_##id,
#include "lab/faults/sightings.def"
#undef SIGHTING
    N_SIGHTINGS
};

struct sightings {
    unsigned n[N_SIGHTINGS], frames, broken;
};

const char *sighting_words(enum sighting s);
/* Counts the frames of a file; 0, or -errno. */
int sightings_of(const char *path, struct sightings *ret);
