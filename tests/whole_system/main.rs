//! The whole system: the programs as they are built, a real browser, nothing
//! mocked in between.
#![cfg(not(target_arch = "wasm32"))]

/// Makes three tests of each function: one in every browser.
macro_rules! in_every_browser {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            use crate::support::{browser::engine::Engine, in_time};

            #[tokio::test]
            async fn chromium() -> anyhow::Result<()> {
                in_time(super::$test(Engine::Chromium)).await
            }

            #[tokio::test]
            async fn firefox() -> anyhow::Result<()> {
                in_time(super::$test(Engine::Firefox)).await
            }

            #[tokio::test]
            async fn webkit() -> anyhow::Result<()> {
                in_time(super::$test(Engine::WebKit)).await
            }
        }
    )+};
}

/// Makes a test of each function, in Chromium: what it shows does not depend on the engine.
macro_rules! in_chromium {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            use crate::support::{browser::engine::Engine, in_time};

            #[tokio::test]
            async fn chromium() -> anyhow::Result<()> {
                in_time(super::$test(Engine::Chromium)).await
            }
        }
    )+};
}

mod accessibility;
mod admin_pages;
mod agreements;
mod appearance;
mod connection;
mod contact_sheet;
mod demo;
mod devices;
mod downloads;
mod element;
mod hand_over;
mod keyboard;
mod languages;
mod memory;
mod nginx;
mod old_engines;
mod plain;
mod reload;
mod row_12;
mod row_30;
mod row_31;
mod row_32;
mod row_33;
mod sign_in;
mod slow_start;
mod states;
mod support;
mod tabs;
mod visit;
