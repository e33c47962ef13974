-- name: read_figures
-- What waits and how long, as numbers of everything: a function of the schema, so that whoever reads it needs
-- no right to the rows.
select
    figure,
    kind,
    value
from monitoring_figures();

-- name: is_there
select 1;
