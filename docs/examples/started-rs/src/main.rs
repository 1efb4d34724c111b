//! Tells of each container that starts on this host. With zbus 4 or 5: cargo run
use std::collections::HashMap;

use zbus::blocking::{Connection, MessageIterator};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::MatchRule;

type Arguments = (String, String, String, String, OwnedObjectPath, u64, HashMap<String, OwnedValue>);

fn main() -> zbus::Result<()> {
    let bus = Connection::system()?;
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender("org.shorewatch1")?
        .interface("org.shorewatch1.Manager")?
        .member("ContainerStarted")?
        .build();
    let signals = MessageIterator::for_match_rule(rule, &bus, None)?;
    println!("watching");
    for signal in signals {
        let body = signal?.body();
        let (engine, _, name, _, _, _, _): Arguments = body.deserialize()?;
        println!("started {engine} {name}");
    }
    Ok(())
}
