//! `rbac`: the least rights that commands need, printed for an administrator, or asked of the server.

use super::Context;
use super::input::context_namespace;
use super::work::View;
use crate::cli::{CheckArgs, RbacArgs};
use crate::error::{Error, Result};
use crate::flame::names::FlameKey;
use crate::flame::rbac::{Access, Grantee, Scope, Task, Wish};
use crate::output;

pub async fn run(context: &Context<'_>, args: &RbacArgs) -> Result<u8> {
    let wish = wish(context, args)?;
    if args.check {
        return check(context, &wish).await;
    }
    context.printer.data(&output::yaml(&wish.grants(grantee(args).as_ref()))?)?;
    Ok(0)
}

fn wish(context: &Context<'_>, args: &RbacArgs) -> Result<Wish> {
    let here = || {
        let namespace = context.global.namespace.clone().or_else(|| context_namespace(context));
        namespace.unwrap_or_else(|| "default".to_owned())
    };
    let scope = match &args.filename {
        _ if args.all_namespaces => Scope::All,
        None => Scope::Namespace(here()),
        Some(source) => {
            let mut flame = context.flame(source, CheckArgs::default())?;
            context.settle_namespace_offline(&mut flame)?;
            Scope::Flame(FlameKey::of(&flame))
        }
    };
    if args.leader_elect && !args.tasks.contains(&Task::Watch) {
        return Err(Error::input("--leader-elect is for watch").hint("add --for watch"));
    }
    Ok(Wish { tasks: args.tasks.iter().copied().collect(), scope, crd: args.crd, lease: args.leader_elect.then(here) })
}

fn grantee(args: &RbacArgs) -> Option<Grantee> {
    let user = args.user.clone().map(Grantee::User);
    user.or_else(|| args.group.clone().map(Grantee::Group)).or_else(|| args.serviceaccount.clone())
}

/// Asks the server for each right.
async fn check(context: &Context<'_>, wish: &Wish) -> Result<u8> {
    let api = context.connect().await?;
    let needed = wish.accesses();
    let view = View::without_display(context);
    let lacking = api.lacking(&needed, &view).await?;
    view.finish();
    let place = match &wish.scope {
        Scope::Flame(key) => format!("for flame {} in namespace {}", key.name, key.namespace),
        Scope::Namespace(namespace) => format!("in namespace {namespace}"),
        Scope::All => "in all namespaces".to_owned(),
    };
    if lacking.is_empty() {
        context.printer.line(&format!("all {} rights are there {place}", needed.len()));
        return Ok(0);
    }
    let lines: Vec<String> = lacking.iter().map(Access::to_string).collect();
    context.printer.data(&format!("{}\n", lines.join("\n")))?;
    let (all, missing) = (needed.len(), lacking.len());
    let are = if missing == 1 { "is" } else { "are" };
    Err(Error::refused(format!("{missing} of {all} rights {are} missing {place}"))
        .hint("the same command without --check prints a Role that whoever administers it can apply"))
}
