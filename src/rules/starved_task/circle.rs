//! Channels with a bound whose drains send to each other, or to themselves.

use crate::analysis::FunctionId;
use crate::analysis::channels::{ChannelAt, Drain, Feed};
use crate::flow::{Place, Root, TypeTerm, ValueIndex, ValueKind};
use crate::verdict::{Confidence, Location, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

/// How many channels a ring is followed through.
const LONGEST: usize = 6;

/// A drain of one channel that waits for room in another.
struct Link<'a> {
    drain: Drain<'a>,
    from: ChannelAt,
    to: ChannelAt,
    feed: Feed,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    for drain in cx.program.drains(id) {
        for feed in cx.program.feeds(id, drain.turns) {
            match (drain.channel, feed.channel) {
                (Some(from), Some(to)) => {
                    ring(cx, Link { drain: drain.clone(), from, to, feed }, out);
                }
                (None, None) => parameters(cx, id, &drain, &feed, out),
                _ => {}
            }
        }
    }
}

fn ring<'a>(cx: &RuleContext<'_, 'a>, link: Link<'a>, out: &mut Vec<Verdict>) {
    if !cx.program.is_bounded(link.to) {
        return;
    }
    if link.from == link.to {
        out.push(feeds_itself(cx, link.drain.by, &link.drain, &link.feed, Some(link.to)));
        return;
    }
    let links = links_around(cx, &link);
    let Some(way) = way_back(&links, link.to, link.from) else { return };
    // Every drain of the ring sees it: the first in the file tells.
    let here = |link: &Link| (link.drain.by, link.feed.send);
    if way.iter().any(|other| here(other) < here(&link)) {
        return;
    }
    let id = link.drain.by;
    let function = cx.function(id);
    let (from, to) = (cx.program.value_text(id, link.drain.end), cx.program.value_text(id, link.feed.end));
    let mut verdict = cx
        .violated(NAME, Confidence::Medium, id, function.value(link.feed.send).span, &format!("`{from}`, `{to}`"))
        .assumes(format!("room in `{to}` comes without anybody taking from `{from}`"))
        .says(format!(
            "the loop over `{from}` waits for room in `{to}`, whose own drain waits for room in what `{from}` gives: once both are full neither goes on"
        ))
        .helps("send without waiting, give one of them no bound, or let one task do both");
    for other in way {
        let text = cx.program.callee_text(other.drain.by, other.feed.send);
        let span = cx.function(other.drain.by).value(other.feed.send).span;
        verdict = verdict.evidence(cx.location(other.drain.by, span), format!("`{text}` waits for room here"));
    }
    out.push(verdict.evidence(made_at(cx, link.to), "the channel is made here"));
}

/// The links of all functions inside the one that makes both channels.
fn links_around<'a>(cx: &RuleContext<'_, 'a>, link: &Link<'a>) -> Vec<Link<'a>> {
    let module = link.to.function.module;
    let mut found = Vec::new();
    for by in cx.program.functions_of(module) {
        if !stands_in(cx, by, link.to.function) {
            continue;
        }
        for drain in cx.program.drains(by) {
            let Some(from) = drain.channel else { continue };
            for feed in cx.program.feeds(by, drain.turns) {
                if let Some(to) = feed.channel.filter(|to| cx.program.is_bounded(*to)) {
                    found.push(Link { drain: drain.clone(), from, to, feed });
                }
            }
        }
    }
    found
}

fn stands_in(cx: &RuleContext, id: FunctionId, around: FunctionId) -> bool {
    let mut at = Some(id);
    while let Some(id) = at {
        if id == around {
            return true;
        }
        at = cx.function(id).parent.map(|index| FunctionId { index, ..id });
    }
    false
}

fn way_back<'l, 'a>(links: &'l [Link<'a>], from: ChannelAt, to: ChannelAt) -> Option<Vec<&'l Link<'a>>> {
    let mut ways: Vec<Vec<&Link>> = links.iter().filter(|link| link.from == from).map(|link| vec![link]).collect();
    for _ in 0..LONGEST {
        if let Some(found) = ways.iter().find(|way| way.last().is_some_and(|link| link.to == to)) {
            return Some(found.clone());
        }
        let longer = ways.iter().flat_map(|way| {
            let at = way.last().map(|link| link.to);
            let next =
                links.iter().filter(move |link| Some(link.from) == at && way.iter().all(|past| past.from != link.from));
            next.map(move |link| way.iter().copied().chain([link]).collect::<Vec<_>>())
        });
        ways = longer.take(64).collect();
    }
    None
}

fn feeds_itself(cx: &RuleContext, id: FunctionId, drain: &Drain, feed: &Feed, made: Option<ChannelAt>) -> Verdict {
    let function = cx.function(id);
    let (from, to) = (cx.program.value_text(id, drain.end), cx.program.value_text(id, feed.end));
    let verdict = cx
        .violated(NAME, Confidence::Medium, id, function.value(feed.send).span, &format!("`{from}`, `{to}`"))
        .assumes(format!("room in `{to}` comes without the loop over `{from}`"))
        .says(format!(
            "`{}` waits for room in the channel that only this loop over `{from}` empties: once it is full neither goes on",
            cx.program.callee_text(id, feed.send)
        ))
        .helps("keep what is to be done next in a list of the loop's own, send without waiting, or give the channel no bound")
        .evidence(cx.location(id, function.value(drain.receive).span), format!("`{from}` is emptied here"));
    match made {
        Some(made) => verdict.evidence(made_at(cx, made), "the channel is made here, with a bound"),
        None => verdict,
    }
}

fn made_at(cx: &RuleContext, channel: ChannelAt) -> Location {
    cx.location(channel.function, cx.function(channel.function).value(channel.call).span)
}

/// Both ends are parameters: whether they belong together only callers know.
fn parameters(cx: &RuleContext, id: FunctionId, drain: &Drain, feed: &Feed, out: &mut Vec<Verdict>) {
    let (Some(from), Some(to)) = (parameter(cx, id, drain.end), parameter(cx, id, feed.end)) else { return };
    if from == to || !is_same_item(cx, id, from, to) {
        return;
    }
    let callers = callers(cx, id);
    let mut ends = callers.iter().map(|(by, call)| {
        let call = cx.function(*by).call(*call).cloned();
        let end = |at: usize| call.as_ref().and_then(|call| cx.program.channel_end(*by, call.arguments.get(at)?.value));
        (end(from), end(to))
    });
    let joined = ends.find_map(|pair| match pair {
        (Some(from), Some(to)) if from.channel == to.channel => Some(to.channel),
        _ => None,
    });
    match joined {
        Some(channel) if cx.program.is_bounded(channel) => out.push(feeds_itself(cx, id, drain, feed, Some(channel))),
        None if callers.is_empty() => out.push(may_feed_itself(cx, id, drain, feed)),
        _ => {}
    }
}

fn may_feed_itself(cx: &RuleContext, id: FunctionId, drain: &Drain, feed: &Feed) -> Verdict {
    let function = cx.function(id);
    let (from, to) = (cx.program.value_text(id, drain.end), cx.program.value_text(id, feed.end));
    cx.verdict(NAME, Stance::Unproven, id, function.value(feed.send).span, &format!("`{from}`, `{to}`"))
        .assumes(format!("`{to}` does not send to `{from}`"))
        .says(format!("`{to}` waits for room, and if it sends to `{from}` only this loop makes any"))
        .asks(format!("is `{to}` the sending end of `{from}`?"))
        .evidence(cx.location(id, function.value(drain.receive).span), format!("`{from}` is emptied here"))
}

/// The number of the parameter that a value is as a whole.
fn parameter(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<usize> {
    let function = cx.function(id);
    let ValueKind::Place(Place { root: Root::Variable(variable), fields, .. }) = &function.value(value).kind else {
        return None;
    };
    let at = function.parameters.iter().position(|parameter| parameter.variable == *variable)?;
    fields.is_empty().then_some(at)
}

/// Whether what two channels carry is written alike.
fn is_same_item(cx: &RuleContext, id: FunctionId, from: usize, to: usize) -> bool {
    let function = cx.function(id);
    let item = |at: usize| {
        let mut term = function.parameters.get(at)?.annotation.as_ref()?;
        while let TypeTerm::Reference(of) = term {
            term = of;
        }
        match term {
            TypeTerm::Path { args, .. } => args.first(),
            _ => None,
        }
    };
    item(from).is_some_and(|taken| item(to) == Some(taken))
}

/// The calls of a function in its own file.
fn callers(cx: &RuleContext, id: FunctionId) -> Vec<(FunctionId, ValueIndex)> {
    let module = cx.program.module(id.module);
    let name = &cx.function(id).name;
    let mut found = Vec::new();
    for (index, function) in module.functions() {
        let by = FunctionId { module: id.module, index };
        for (at, value) in function.values.iter().enumerate() {
            let index = ValueIndex(at as u32);
            if matches!(value.kind, ValueKind::Call(_))
                && cx.program.callee_text(by, index).ends_with(name.as_str())
                && cx.resolution(by, index).functions().contains(&id)
            {
                found.push((by, index));
            }
        }
    }
    found
}
