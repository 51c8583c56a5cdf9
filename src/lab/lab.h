/* lab.h - `dialtone lab` and `dialtone demo`: a laboratory of network namespaces (SIM-5). Needs root. */
#pragma once

/* argv[0] is the subcommand. Exit status: 0 done and the verdict is good, 1 not, 2 wrong usage. */
int lab_main(int argc, char **argv);
int demo_main(int argc, char **argv);
