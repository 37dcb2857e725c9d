module gantry

go 1.26
