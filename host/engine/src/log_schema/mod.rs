//! The Arrow schemas of the log tables, and their rows encoded and decoded.

pub mod pair_table;
pub mod record_tables;
pub mod row_decoder;
pub mod schema;
pub mod table_encoder;
