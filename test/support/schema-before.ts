// Takes the last step of the schema back on SQLite, as if it had not been taken yet: what an older version left behind.

export const takeLastStepBack = `
  drop table ticket; drop table launch; drop table placement; drop table content; drop table platform;
  drop index session_lapsed;
  alter table session drop column launch; alter table session drop column bound_to;
  delete from schema_migration where number = (select max(number) from schema_migration)`
