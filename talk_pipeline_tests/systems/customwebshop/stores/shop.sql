-- a shop's tables, as its own programs read and write them; {serial}, {number}, {truth} and {moment} are the database's
create table customers (
  id {serial} primary key, number varchar(20) unique, company_name varchar(100) not null, contact_name varchar(100),
  vat varchar(20), email varchar(80), phone varchar(30), www varchar(80), street varchar(100), zip varchar(20),
  town varchar(30), country varchar(2), currency varchar(3) default 'DKK', active {truth} default {true},
  loyalty_points integer default 7, version integer not null default 1, updated_at {moment} not null default {now}
);
create table products (
  id {serial} primary key, sku varchar(20) unique not null, name varchar(40), price {number}, cost {number},
  currency varchar(3) default 'DKK', unit varchar(10) default 'pcs', stock {number}, active {truth} default {true},
  version integer not null default 1, updated_at {moment} not null default {now}
);
create table orders (
  id {serial} primary key, number varchar(35) unique, erp_number varchar(20), customer integer not null,
  placed_at {moment}, currency varchar(3) default 'DKK', status varchar(20) default 'open',
  version integer not null default 1, updated_at {moment} not null default {now}
);
create table order_lines (
  id {serial} primary key, order_id integer not null references orders (id), product integer not null,
  description varchar(100), unit varchar(10) default 'pcs', quantity {number} not null, unit_price {number} not null
);
