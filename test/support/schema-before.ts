// Takes the last step of the schema back on SQLite, as if it had not been taken yet: what an older version left behind.

export const takeLastStepBack = `
  drop table lrs_state; drop table import; drop table import_lrs;
  alter table lrs drop column description; alter table lrs drop column words;
  alter table lrs drop column updated_at; alter table lrs drop column deleted_at;
  alter table organisation drop column expires_at; alter table organisation drop column words;
  alter table organisation drop column updated_at;
  delete from schema_migration where number = (select max(number) from schema_migration)`
