// Takes the last step of the schema back on SQLite, as if it had not been taken yet: what an older version left behind.

export const takeLastStepBack = `
  drop table note; drop table pipe; drop table setting; drop table application; drop index credential_lrs;
  alter table credential drop column oauth; alter table organisation drop column closed_lrs_ids;
  delete from schema_migration where number = (select max(number) from schema_migration)`
