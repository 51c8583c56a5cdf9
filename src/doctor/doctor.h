/* doctor.h - `dialtone doctor`: why does this phone not register? */
#pragma once

/* argv[0] is the subcommand. Exit status: 0 nothing wrong found, 1 findings, 2 wrong usage, 3 a file cannot be read. */
int doctor_main(int argc, char **argv);
