/* fleet.h - `dialtone fleet`: many phones in one program: boot storms, keepalives, faults, and a
 * report. */
#pragma once

/* argv[0] is the subcommand. 0: all phones registered (or did what their fault says); 1: not all;
 * 2: usage. */
int fleet_main(int argc, char **argv);
