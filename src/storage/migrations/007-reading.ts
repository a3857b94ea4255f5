// What PostgreSQL needs for reading a page of statements in one round trip, and for documents that several nodes change. Nothing
// on SQLite, where both are done in the process.

import type { Migration } from './migration.ts'

// Whatever is known of the tables (nothing, right after a bulk load), a page is made of short ranges of indexes.
const settings = `set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
  set jit = off set plan_cache_mode = force_generic_plan`

/** What both functions answer: the statements in any order; and last a row without a seq, that has the two times. */
const answer = 'table (seq bigint, owner integer, body text, attachments json, next bigint, through bigint)'

const attachments = `(select coalesce(json_agg(json_build_object('sha2', a.sha2, 'contentType', a.content_type) order by a.sha2), '[]')
      from attachment a where a.lrs_id = s.lrs_id and a.seq = s.seq)`

/** `withVoided`, as migration 11 makes it anew: voided ones, too, for who asks for them. */
export function pageFunction({ withVoided }: { readonly withVoided: boolean }): string {
  const asked = withVoided ? ', with_voided boolean' : ''
  const told = withVoided ? answer.replace(')', ', voided integer)') : answer
  const isLeftOut = withVoided ? 'candidate.is_voided = 1 and not with_voided' : 'candidate.is_voided = 1'
  const voided = withVoided ? ', case when with_voided then s.is_voided::integer end' : ''
  const noVoided = withVoided ? ', null::integer' : ''
  return `-- One page of a list. Filters side by side: a kind and a digest, or a term that needs no dictionary (hashed), and a mask of the
-- variants that are read (those within it); of is_own the first is the owner's own term. Several meet by leapfrog: of each the
-- next keys; the filter whose keys reach farthest goes on, the others are asked for its keys only; where one has a gap, all jump
-- over it. When seeks are spent, the page ends where it is.
-- Volatile: each of its statements sees what was committed before it, as claviger_through wants.
create function claviger_page(of_lrs integer, raised bigint, kinds text[], digests bytea[], hashed bigint[], masks integer[],
  is_own boolean, key bigint, stop bigint, is_ascending boolean, most_rows integer, most_text bigint, seeks integer,
  with_attachments boolean${asked})
returns ${told} language plpgsql volatile ${settings} as $$
#variable_conflict use_column
declare
  largest_chunk constant integer := 512;
  -- rows read in a row that cost about as much as one seek
  rows_per_seek constant integer := 16;
  step constant integer := case when is_ascending then 1 else -1 end;
  seeks_left integer := seeks;
  base bigint;
  -- of all filters one behind the other, and where those of each begin and end
  terms bigint[] := '{}';
  starts integer[] := '{}';
  ends integer[] := '{}';
  term1 bigint;
  term2 bigint;
  term3 bigint;
  term4 bigint;
  filters integer;
  size integer;
  came_from bigint;
  keys bigint[];
  is_whole boolean;
  -- the keys that go on, and whether they are all that their filter has left
  ahead bigint[];
  leader integer;
  is_last boolean;
  at integer;
  upto integer;
  candidate record;
  page bigint[] := '{}';
  text_length bigint := 0;
  go_on_behind bigint;
begin
  through := claviger_through(of_lrs, raised);
  for filter in 1 .. cardinality(masks) loop
    base := hashed[filter];
    if base is null then
      select t.id::bigint * 4 into base from term t
        where t.lrs_id = of_lrs and t.kind = kinds[filter] and t.sha256 = digests[filter];
    end if;
    if base is null then
      -- no statement ever had this value
      return query select null::bigint, null::integer, null::text, null::json, null::bigint, through${noVoided};
      return;
    end if;
    starts := starts || cardinality(terms) + 1;
    terms := terms || array(select base + v from generate_series(0, masks[filter]) v where v & ~masks[filter] = 0);
    ends := ends || cardinality(terms);
  end loop;
  filters := cardinality(ends);
  size := case when filters <= 1 then least(most_rows + 1, largest_chunk) else 32 end;

  <<pages>>
  while key * step <= stop * step loop
    came_from := key;
    ahead := null;
    for filter in 1 .. greatest(filters, 1) loop
      keys := claviger_keys(of_lrs, terms[starts[filter]:ends[filter]], key, stop, is_ascending, size);
      seeks_left := seeks_left - greatest(ends[filter] - starts[filter] + 1, 1) * (1 + size / rows_per_seek);
      exit pages when cardinality(keys) = 0;
      -- nothing that this filter has lies before
      key := keys[1];
      is_whole := cardinality(keys) < size;
      if ahead is null or (is_whole and not is_last)
        or (is_whole = is_last and keys[cardinality(keys)] * step > ahead[cardinality(ahead)] * step)
      then
        ahead := keys;
        leader := filter;
        is_last := is_whole;
      end if;
    end loop;
    keys := ahead;
    for filter in 1 .. filters loop
      continue when filter = leader;
      seeks_left := seeks_left - cardinality(keys) * (ends[filter] - starts[filter] + 1);
      -- one by one: whatever a plan is made of them, it is a look-up of the whole key
      term1 := terms[starts[filter]];
      term2 := case when starts[filter] + 1 <= ends[filter] then terms[starts[filter] + 1] end;
      term3 := case when starts[filter] + 2 <= ends[filter] then terms[starts[filter] + 2] end;
      term4 := case when starts[filter] + 3 <= ends[filter] then terms[starts[filter] + 3] end;
      keys := array(select k from unnest(keys) as k where k * step >= key * step
        and ((select p.seq from posting p where p.lrs_id = of_lrs and p.term = term1 and p.seq = k) is not null
          or (select p.seq from posting p where p.lrs_id = of_lrs and p.term = term2 and p.seq = k) is not null
          or (select p.seq from posting p where p.lrs_id = of_lrs and p.term = term3 and p.seq = k) is not null
          or (select p.seq from posting p where p.lrs_id = of_lrs and p.term = term4 and p.seq = k) is not null)
        order by k * step);
    end loop;
    at := 1;
    while at <= cardinality(keys) loop
      -- no more of them than fill the page, and one that proves that there is a next
      upto := at + most_rows - cardinality(page);
      for candidate in
        select s.seq, s.is_voided, octet_length(s.body) as length
        from unnest(keys[at:upto]) as k cross join lateral (
          select * from statement o where o.lrs_id = of_lrs and o.seq = k limit 1) as s
        order by s.seq * step
      loop
        if ${isLeftOut} then
          seeks_left := seeks_left - 1;
        elsif cardinality(page) >= most_rows or (text_length > 0 and text_length + candidate.length > most_text) then
          go_on_behind := page[cardinality(page)];
          exit pages;
        else
          text_length := text_length + candidate.length;
          page := page || candidate.seq;
        end if;
      end loop;
      at := upto + 1;
    end loop;
    exit when is_last;
    size := case when cardinality(keys) = 0 and key <> came_from then 32 else least(size * 2, largest_chunk) end;
    key := greatest(ahead[cardinality(ahead)] * step + 1, key * step) * step;
    if seeks_left <= 0 then
      -- This place may be others' posting: who reads their own only must not learn from it that others stored something.
      if is_own then
        key := (claviger_keys(of_lrs, terms[1:1], key, stop, is_ascending, 1))[1];
      end if;
      go_on_behind := key - step;
      exit;
    end if;
  end loop;

  return query select s.seq, s.owner, s.body, case when with_attachments then ${attachments} end, null::bigint, null::bigint${voided}
    from unnest(page) as k cross join lateral (select * from statement o where o.lrs_id = of_lrs and o.seq = k limit 1) as s;
  return query select null::bigint, null::integer, null::text, null::json, go_on_behind, through${noVoided};
end $$;`
}

export const reading: Migration = {
  number: 7,
  name: 'reading',
  sql: {
    sqlite: '',
    postgres: `
-- what is changed in an Lrs is later than this, in microseconds: emptying ends there, whatever clocks do afterwards
create table document_floor (
  lrs_id integer not null primary key,
  changed_through bigint not null
);

-- The first keys of a range, from key to stop, both inclusive, in the direction of the query: stored times of the postings with
-- any of these terms; without terms those of all statements.
create function claviger_keys(of_lrs integer, terms bigint[], key bigint, stop bigint, is_ascending boolean, most integer)
returns bigint[] language plpgsql stable as $$
declare
  single bigint := terms[1];
begin
  if cardinality(terms) = 1 and is_ascending then
    return array(select p.seq from posting p
      where p.lrs_id = of_lrs and p.term = single and p.seq >= key and p.seq <= stop order by p.seq limit most);
  elsif cardinality(terms) = 1 then
    return array(select p.seq from posting p
      where p.lrs_id = of_lrs and p.term = single and p.seq <= key and p.seq >= stop order by p.seq desc limit most);
  elsif cardinality(terms) > 1 and is_ascending then
    return array(select distinct k.seq from unnest(terms) as t (term) cross join lateral (select p.seq from posting p
      where p.lrs_id = of_lrs and p.term = t.term and p.seq >= key and p.seq <= stop order by p.seq limit most) as k
      order by k.seq limit most);
  elsif cardinality(terms) > 1 then
    return array(select distinct k.seq from unnest(terms) as t (term) cross join lateral (select p.seq from posting p
      where p.lrs_id = of_lrs and p.term = t.term and p.seq <= key and p.seq >= stop order by p.seq desc limit most) as k
      order by k.seq desc limit most);
  elsif is_ascending then
    return array(select s.seq from statement s
      where s.lrs_id = of_lrs and s.seq >= key and s.seq <= stop order by s.seq limit most);
  else
    return array(select s.seq from statement s
      where s.lrs_id = of_lrs and s.seq <= key and s.seq >= stop order by s.seq desc limit most);
  end if;
end $$;

${pageFunction({ withVoided: false })}

-- One statement by its id, of one owner where one is given.
create function claviger_find(of_lrs integer, raised bigint, of_id bytea, of_voided integer, of_owner integer,
  with_attachments boolean)
returns ${answer} language plpgsql volatile ${settings} as $$
#variable_conflict use_column
begin
  through := claviger_through(of_lrs, raised);
  return query select s.seq, s.owner, s.body, case when with_attachments then ${attachments} end, null::bigint, null::bigint
    from statement s where s.lrs_id = of_lrs and s.id = of_id and s.is_voided = of_voided
      and s.owner = coalesce(of_owner, s.owner);
  return query select null::bigint, null::integer, null::text, null::json, null::bigint, through;
end $$;
`,
  },
}
