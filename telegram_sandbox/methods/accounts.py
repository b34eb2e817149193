"""Configuration and users: what a client asks about the server and about people.

Here belong help.getConfig and the users group.
"""

from datetime import timedelta
from typing import Any

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.media_records import HOME_DC
from telegram_sandbox.peers import resolve_user
from telegram_sandbox.registry import Context, handles

DATA_CENTRES = range(1, 6)


@handles(functions.help.GetConfigRequest, public=True)
def get_config(ctx: Context, request: Any) -> Any:
    """Names this server as every data centre but the one with an address of its own."""
    now = ctx.world.now()
    options = [
        types.DcOption(
            number, ctx.sandbox.host, ctx.sandbox.ports[ctx.sandbox.place_of(number)], static=True
        )
        for number in DATA_CENTRES
    ]
    return types.Config(
        date=now,
        expires=now + timedelta(hours=1),
        test_mode=False,
        this_dc=ctx.dc,
        dc_options=options,
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=2**31 - 1,
        revoke_pm_time_limit=2**31 - 1,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=1024,
        message_length_max=4096,
        webfile_dc_id=HOME_DC,
    )


@handles(functions.help.GetNearestDcRequest, public=True)
def get_nearest_dc(ctx: Context, request: Any) -> Any:
    """Names the account's home."""
    return types.NearestDc(country="", this_dc=ctx.dc, nearest_dc=HOME_DC)


@handles(functions.users.GetUsersRequest)
def get_users(ctx: Context, request: Any) -> list[Any]:
    """Returns users, leaving out the ones that are named wrongly."""
    found = []
    for given in request.id:
        try:
            found.append(ctx.views.user(resolve_user(ctx, given)))
        except RpcRefusal:
            found.append(types.UserEmpty(getattr(given, "user_id", 0)))
    return found


@handles(functions.users.GetFullUserRequest)
def get_full_user(ctx: Context, request: Any) -> Any:
    """Returns a user with what little more there is to say."""
    user = resolve_user(ctx, request.id)
    full = types.UserFull(
        id=user.id,
        settings=types.PeerSettings(),
        notify_settings=types.PeerNotifySettings(),
        common_chats_count=0,
    )
    return types.users.UserFull(full_user=full, chats=[], users=[ctx.views.user(user)])


@handles(functions.account.UpdateStatusRequest)
def update_status(ctx: Context, request: Any) -> bool:
    """Takes note that the client is online or not."""
    return True
