-- The state of one company: one DuckDB file. Times are UTC. Uniqueness that matters is checked by query
-- (the checklist), not by keys, which make bulk writes several times slower; links are the exception.
--
-- part      a flow's record (`order`) or a child collection of it (`order.lines`)
-- side      customwebshop | businesscentral
-- *_id      a record's id on that side; a child's is `parent/own`
-- root_*    the record of the flow that a row belongs to; for the flow's own record, itself

create table if not exists meta (key varchar primary key, value varchar);

-- what a system said, byte for byte; gone: deleted | vanished | archived | posted | out_of_scope
create table if not exists snapshot (
  flow varchar, side varchar, id varchar, version varchar,
  modified_at timestamp,   -- as the system says
  edited_at timestamp,     -- skew-corrected, and not moved by our own writes
  fetched_at timestamp, gone varchar,
  payload varchar using compression zstd, -- much of it is the same in each: a third of what it would take, for less CPU
  earlier varchar[]        -- by what its last states before this one would be recognised
);

-- what the flow reads in it; row_hash covers raw, the children's raw, gone and open
create table if not exists record (
  part varchar, side varchar, id varchar, root_id varchar, position integer, version varchar,
  row_hash varchar, open boolean,
  raw map(varchar, varchar), canon map(varchar, varchar), problems map(varchar, varchar)
);

create table if not exists watermark (
  flow varchar, side varchar, modified_at timestamp, fetched_at timestamp, full_at timestamp,
  complete boolean, problem varchar, skew_seconds double
);

-- what can only be if the system was restored from a backup (engine/snapshot/reversals.py); stops its flows until decided
-- kind: went back | vanished | open again | unposted | another; known_at, shown_at: modified times as the system says
create table if not exists reversal (
  flow varchar, side varchar, id varchar, kind varchar, known_at timestamp, shown_at timestamp, seen_at timestamp
);

-- touched and not yet settled: set with the landing, cleared when nothing is left to do
create table if not exists dirty (flow varchar, side varchar, id varchar, marked_at timestamp);

-- state: active | held (rule says why: unlinked by hand, where bc_id is null, or what stands between the two, which
-- keeps it) | closed (the story ended) | attached (bc_id is null: it shares the Business Central record shared_id with
-- the one that is linked with it)
create table if not exists link (
  part varchar, shop_id varchar, bc_id varchar, root_shop_id varchar,
  rule varchar, state varchar, linked_at timestamp,
  met_at timestamp,  -- when the two first had nothing left to tell each other; until then they meet for the first time
  shared_id varchar,
  called map(varchar, varchar), -- of one that was posted before anybody read it: what it was called there, by property
  unique (part, shop_id), unique (part, bc_id)
);

-- what both sides held when they last agreed, raw; mismatches: answers in a row that were not what was sent;
-- resend: a side that recalculated the property because of another write of ours, or was made without being told it,
-- and is to be told;
-- agreed_at: null where a created record's default is only where later changes of it start from
create table if not exists base (
  part varchar, shop_id varchar, property varchar, shop_value varchar, bc_value varchar,
  mismatches integer, resend varchar, agreed_at timestamp
);

-- when a property was first seen to differ from its base, and in which version
create table if not exists edit (
  part varchar, shop_id varchar, property varchar, side varchar, edited_at timestamp, version varchar
);

-- more than one candidate: never guessed; linked: the side whose record belongs to a pair already, null where
-- both are free
create table if not exists candidate (
  flow varchar, shop_id varchar, bc_id varchar, property varchar, linked varchar
);

-- every shop record that is not simply in step: waiting | ambiguous | quarantined | held | attached |
-- excluded | closed | broken
create table if not exists status (
  flow varchar, shop_id varchar, state varchar, reason varchar, since timestamp
);

-- Business Central's records without a counterpart that do not get one in the shop now, though the flow makes such
-- there, and why: waiting | ambiguous | quarantined | held; whom a scope leaves out is none of them
create table if not exists bc_status (flow varchar, bc_id varchar, state varchar, reason varchar);

-- the plan: what would be written where; hold_kind: why not now, hold_reason: in words for a person
create table if not exists change (
  flow varchar, part varchar, target varchar, operation varchar,
  shop_id varchar, bc_id varchar, root_shop_id varchar, root_bc_id varchar,
  property varchar, before varchar, after varchar, base varchar,
  rule varchar, conflict boolean, hold_kind varchar, hold_reason varchar
);

-- permanent refusals, bound to the version of the data that was refused
create table if not exists refusal (
  flow varchar, part varchar, target varchar, root_shop_id varchar, record_id varchar, properties varchar[],
  fingerprint varchar, reason varchar, refused_at timestamp,
  about_another boolean,  -- the cause may lie with another record: asked again once in each full scan
  refusal_kind varchar
);

-- intent before a request leaves, outcome after: done | refused | stale | gone | failed | unknown; part to bc_id: the
-- record or child that the request writes
-- left_at: put on disk just before a request that matters twice is handed to the wire; without it, it never left
-- open_until: as long as no answer came, the receiver may be at it until then
-- skew_seconds: how far its clock was ahead of ours when that was said
create table if not exists journal (
  intent_id varchar, run_id varchar, flow varchar, part varchar, target varchar, operation varchar,
  shop_id varchar, bc_id varchar, root_shop_id varchar, natural_key varchar, intent_at timestamp,
  outcome varchar, reason varchar, outcome_at timestamp,
  left_at timestamp, open_until timestamp, root_bc_id varchar, skew_seconds double
);

-- the children that go along in a request, from 1; place 0 is what the journal's own row names
create table if not exists journal_child (
  intent_id varchar, place integer, part varchar, operation varchar, shop_id varchar, bc_id varchar
);

-- every value on its way: what it comes from, what goes out, what it replaces
create table if not exists journal_value (
  intent_id varchar, place integer, property varchar, source varchar, sent varchar, before varchar,
  rule varchar, conflict boolean
);

-- what the receiver works out anew by itself when it carries out a request
create table if not exists recalculation (intent_id varchar, part varchar, shop_id varchar, property varchar);

create table if not exists conflict (
  flow varchar, part varchar, shop_id varchar, bc_id varchar, property varchar, rule varchar, winner varchar,
  shop_value varchar, bc_value varchar, shop_edited_at timestamp, bc_edited_at timestamp,
  shop_version varchar, bc_version varchar, run_id varchar, recorded_at timestamp,
  decided_by varchar, decided_at timestamp,  -- a person's word, carried out by that run
  acknowledged_by varchar, acknowledged_at timestamp  -- whoever decided it knows of it too
);

-- pairs that the rules never make, by a person's word; held: the pair was unlinked, and neither of the two
-- gets a new counterpart by itself until it is linked or released
create table if not exists apart (
  flow varchar, shop_id varchar, bc_id varchar, held boolean, parted_at timestamp, parted_by varchar,
  never boolean  -- said of the two themselves; else they were unlinked, which ends where one is released
);

-- the side a person took in an open conflict, good for the two values it was given on; gone once carried out; of a
-- record that is held since it would come to something else: what it would come to, and that it goes all the same
create table if not exists resolution (
  part varchar, shop_id varchar, property varchar, winner varchar, shop_value varchar, bc_value varchar,
  decided_by varchar, decided_at timestamp
);

-- records that a system lost when it was restored, of pairs that are none since (engine/plan/losses.py)
create table if not exists loss (
  flow varchar, shop_id varchar, bc_id varchar, shop_lost boolean, bc_lost boolean, lost_at timestamp,
  acknowledged_by varchar, acknowledged_at timestamp
);

-- what people did by hand: linked | attached | unlinked | kept apart | released | resolved | retried | restored |
-- acknowledged | forgotten, which is kept for good
create table if not exists decision (
  flow varchar, action varchar, shop_id varchar, bc_id varchar, details json, done_by varchar, done_at timestamp
);

-- what became of a run, by flow: begun before anything is read, planned once there is a plan; started_at of the
-- latest is the last run
create table if not exists run (
  run_id varchar, flow varchar, started_at timestamp, full_scan boolean, dry_run boolean, planned bigint,
  ended_at timestamp,
  problem varchar,     -- what broke it off
  stopped_by varchar,  -- the blocking check that stopped it, and why
  stopped varchar,
  undoes varchar       -- the run whose updates it puts back
);

create table if not exists stage (run_id varchar, flow varchar, name varchar, seconds double, records bigint);

create table if not exists check_result (
  run_id varchar, flow varchar, name varchar, passed boolean, severity varchar,
  summary varchar, found bigint, rows json, checked_at timestamp
);
