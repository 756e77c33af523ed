//! The simulated EHR over real HTTP.
#![cfg(test)]

mod assertion;
mod authorize;
mod connection_status;
mod device_test;
mod direct_join;
mod discovery;
mod end_of_call;
mod faults;
mod fhir;
mod happy_path;
mod launch;
mod logs;
mod openssl;
mod pages;
mod private_key_jwt;
mod process;
mod program;
mod support;
mod token;
mod zoom;
