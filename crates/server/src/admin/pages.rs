//! `/admin`: what those who watch over launches see. Rendered on the server, and whole
//! without a script.

mod chart;
mod csv;
mod moment;
mod templates;
